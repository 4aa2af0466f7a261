"""SpokenPair: a text-to-spec model and a vocoder, both exported, as something that speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxgraft.audio.fit import spec_fit, told
from voxgraft.errors import CheckpointError
from voxgraft.inference.acoustic.acoustic import Acoustic, Spoken
from voxgraft.inference.acoustic.controls import Controls, chosen
from voxgraft.inference.vocoder.vocoder import Vocoder
from voxgraft.text.symbols import Encoding

# What a vocoder is called that lies beside the model that it renders.
VOCODER = "vocoder.onnx"


@dataclass(frozen=True)
class SpokenPair:
    """Both models; letters in shapes: M mel bands, T frames, S samples."""

    acoustic: Acoustic
    vocoder: Vocoder

    @classmethod
    def load(
        cls,
        acoustic: str | Path,
        vocoder: str | Path | None = None,
        *,
        threads: int | None = None,
        seed: int | None = None,
    ) -> SpokenPair:
        """Open two exported .onnx; without `vocoder` the `vocoder.onnx` beside the model.

        Raises CheckpointError naming the fields where the vocoder can't read what the model writes.
        """
        model = Acoustic.load(acoustic, threads=threads, seed=seed)
        place = Path(vocoder) if vocoder is not None else Path(acoustic).with_name(VOCODER)
        if not place.is_file():
            raise CheckpointError(
                "there is no vocoder to render this model's spectrograms",
                file=place,
                field="vocoder",
                remedy="Name one with --vocoder, or export the pair again.",
            )
        renders = Vocoder.load(place, threads=threads)
        require_fit(model, renders)
        return cls(model, renders)

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.acoustic.settings.audio.sample_rate

    def speak(self, text: str, controls: Controls | None = None) -> Iterator[NDArray[np.float32]]:
        """Speech [S] of each sentence, as loud as it comes out. Raises TextError, CheckpointError."""
        for spoken in self.acoustic.mels(text, controls):
            yield self.render(spoken)

    @property
    def path(self) -> Path:
        """Of the text-to-spec model."""
        return self.acoustic.path

    @property
    def languages(self) -> list[str]:
        """Names in the order of their ids; empty for a model of one language."""
        return list(self.acoustic.settings.languages)

    def encode(self, text: str, *, language: str | int | None = None) -> Iterator[Encoding]:
        """Ids of each sentence, and the symbols of it that the model doesn't know."""
        names = self.acoustic.settings.languages
        spoken = None if language is None else names[chosen("language", language, names, self.path)]
        return self.acoustic.encode(text, voice=spoken)

    def speaker_id(self, speaker: str | int | None) -> int:
        """The id of a speaker given by name or id, the first for None. Raises TextError."""
        return chosen("speaker", speaker, self.acoustic.settings.speakers, self.path)

    def speak_ids(
        self,
        ids: Sequence[int],
        *,
        noise_scale: float | None = None,
        length_scale: float | None = None,
        noise_w: float | None = None,
        pitch_scale: float | None = None,
        energy_scale: float | None = None,
        speaker: str | int | None = None,
        language: str | int | None = None,
    ) -> NDArray[np.float32]:
        """Speech [S] of one sentence's ids, asked for as of a `Voice`; `noise_w` means nothing here. Raises TextError."""
        controls = Controls(length_scale, pitch_scale, energy_scale, noise_scale, speaker, language)
        return self.render(self.acoustic.mel(ids, controls))

    def render(self, spoken: Spoken) -> NDArray[np.float32]:
        """The sound [S] of a spectrogram. CheckpointError: it is not finite."""
        audio = np.asarray(self.vocoder.speak(spoken.mel), np.float32)
        if not np.isfinite(audio).all():
            raise CheckpointError(
                "the vocoder gives numbers that are not finite",
                file=self.vocoder.path,
                remedy="Its weights are damaged or were spoilt in training: export an earlier checkpoint.",
            )
        return audio


def require_fit(acoustic: Acoustic, vocoder: Vocoder) -> None:
    """Raise CheckpointError where a vocoder reads other spectrograms than the model writes; what it doesn't say is not compared."""
    if vocoder.settings.audio is None:
        return
    fit = spec_fit(acoustic.settings.audio, vocoder.settings.audio)
    if fit.grave:
        raise CheckpointError(
            f"the vocoder {vocoder.path.name} can't read these spectrograms: {told(fit.grave)}",
            file=acoustic.path,
            field=", ".join(fit.grave),
            remedy="Take a vocoder for such spectrograms, or match one: `voxgraft match`.",
        )
