"""Voice: any Piper voice on onnxruntime, sentence by sentence, without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voxgraft.errors import CheckpointError, TextError
from voxgraft.inference.acoustic.controls import chosen
from voxgraft.inference.session import check_inputs, open_session
from voxgraft.inference.voice.locate import find_voice
from voxgraft.inference.voice.settings import VoiceSettings, read_settings, settings_beside
from voxgraft.text.encode import stream_text
from voxgraft.text.symbols import Encoding, SymbolTable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Audio = NDArray[np.float32]

REQUIRED_INPUTS = {"input": "tensor(int64)", "input_lengths": "tensor(int64)", "scales": "tensor(float)"}
OPTIONAL_INPUTS = {"sid": "tensor(int64)"}
# Below this peak a sentence is silence, and raising it to full scale would only raise noise.
_SILENCE = 1e-8


class Voice:
    """A voice that speaks. `path` is its .onnx; `settings` is what its .onnx.json says."""

    def __init__(self, path: Path, settings: VoiceSettings, session: InferenceSession, threads: int | None) -> None:
        self.path = path
        self.settings = settings
        self._session = session
        self._threads = threads
        self._inputs = check_inputs(session, path, REQUIRED_INPUTS, OPTIONAL_INPUTS)
        if settings.speaker_count > 1 and "sid" not in self._inputs:
            raise CheckpointError(
                "the settings name several speakers, but the model has no input for one",
                file=path,
                field="num_speakers",
                expected=1,
                got=settings.speaker_count,
                remedy="Take the .onnx.json that was published with this .onnx.",
            )

    @classmethod
    def load(cls, voice: str | Path, *, threads: int | None = None, seed: int | None = None) -> Voice:
        """Open a voice: a .onnx with its .onnx.json, a folder that holds them, or an installed package's name.

        The same `seed` gives the same speech for the same sentences in the same order. Raises CheckpointError.
        """
        path = find_voice(voice)
        settings = read_settings(settings_beside(path))
        return cls(path, settings, open_session(path, threads=threads, seed=seed), threads)

    def reseeded(self, seed: int) -> Voice:
        """The same voice with its noise started anew from `seed`."""
        return Voice(self.path, self.settings, open_session(self.path, threads=self._threads, seed=seed), self._threads)

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.settings.sample_rate

    @property
    def symbols(self) -> SymbolTable:
        """What the voice's ids mean."""
        return self.settings.symbols

    @property
    def speakers(self) -> list[str]:
        """Names in the order of their ids; empty for a single speaker."""
        return list(self.settings.speakers)

    @property
    def languages(self) -> list[str]:
        """Names in the order of their ids; empty for a voice of one language."""
        return list(self.settings.languages)

    def encode(self, text: str, *, language: str | int | None = None) -> Iterator[Encoding]:
        """Ids of each sentence, and the symbols of it that the voice doesn't know. `language` is one of the voice's several."""
        spoken = None if language is None else self.languages[self.language_id(language)]
        return stream_text(text, self.symbols, voice=spoken)

    def speak(
        self,
        text: str,
        *,
        noise_scale: float | None = None,
        length_scale: float | None = None,
        noise_w: float | None = None,
        pitch_scale: float | None = None,
        energy_scale: float | None = None,
        speaker: str | int | None = None,
        language: str | int | None = None,
        normalise: bool = True,
    ) -> Iterator[Audio]:
        """Speech [T] of each sentence in [-1, 1], one by one. `None` takes the voice's own scales.

        Pitch, energy and language can be chosen where the voice is made of a text-to-spec model that heeds them.
        `normalise` raises each sentence to full scale, as Piper does. Raises TextError, CheckpointError.
        """
        self.speaker_id(speaker)
        for encoding in self.encode(text, language=language):
            audio = self.speak_ids(
                encoding.ids,
                noise_scale=noise_scale,
                length_scale=length_scale,
                noise_w=noise_w,
                pitch_scale=pitch_scale,
                energy_scale=energy_scale,
                speaker=speaker,
                language=language,
            )
            yield full_scale(audio) if normalise else np.clip(audio, -1.0, 1.0)

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
    ) -> Audio:
        """Speech [T] of one sentence's ids, exactly as the model gives it. Raises TextError, CheckpointError."""
        asked = {
            "noise_scale": noise_scale,
            "length_scale": length_scale,
            "noise_w": noise_w,
            "pitch_scale": pitch_scale,
            "energy_scale": energy_scale,
        }
        self._require_heeded(asked)
        number = self.language_id(language)
        scales = [
            number if name == "language" else self._scale(name, asked[name]) for name in self.settings.scales_taken
        ]
        feed = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if "sid" in self._inputs:
            feed["sid"] = np.array([self.speaker_id(speaker)], dtype=np.int64)
        try:
            output = self._session.run(None, feed)[0]
        except Exception as fault:
            raise CheckpointError(
                f"the voice failed on a sentence of {len(ids)} ids: {' '.join(str(fault).split())[:200]}",
                file=self.path,
                remedy="Check that the .onnx and the .onnx.json belong together, and that memory suffices.",
            ) from fault
        audio = np.asarray(output, dtype=np.float32).reshape(-1)
        if not len(audio) or not np.isfinite(audio).all():
            raise CheckpointError(
                "the voice gives no sound" if not len(audio) else "the voice gives numbers that are not finite",
                file=self.path,
                field=f"a sentence of {len(ids)} ids",
                remedy="Its weights are damaged or were spoilt in training. Use an earlier checkpoint or another copy.",
            )
        return audio

    def _scale(self, name: str, asked: float | None) -> float:
        """A scale asked for, or the voice's own. Raises TextError, CheckpointError where it can't be spoken with."""
        value: float = getattr(self.settings, name, 1.0) if asked is None else asked
        if math.isfinite(value) and (value > 0 or (value == 0 and name != "length_scale")):
            return value
        expected = "a number above 0" if name == "length_scale" else "a number from 0 up"
        if asked is not None:
            raise TextError(
                f"{name} is out of range", expected=expected, got=asked, remedy="Leave it out for the voice's own."
            )
        raise CheckpointError(
            "out of range",
            file=f"{self.path}.json",
            field=f"inference.{name}",
            expected=expected,
            got=value,
            remedy="Correct the voice's settings, or take the .onnx.json that was published with this voice.",
        )

    def _require_heeded(self, asked: Mapping[str, float | None]) -> None:
        """Raise TextError where pitch or energy are to be turned, and the voice has none that could be."""
        for name in ("pitch_scale", "energy_scale"):
            if asked[name] is not None and name not in self.settings.controls:
                word = name.removesuffix("_scale")
                raise TextError(
                    f"this voice has no {word} that could be turned",
                    file=self.path,
                    field=name,
                    got=asked[name],
                    remedy=f"Leave the {word} out, or take a voice of a text-to-spec model that predicts it.",
                )

    def language_id(self, language: str | int | None) -> int:
        """The id of a language given by name or id, the voice's default for None. Raises TextError."""
        if language is None:
            return self.settings.default_language
        return chosen("language", language, self.settings.languages, self.path)

    def speaker_id(self, speaker: str | int | None) -> int:
        """The id of a speaker given by name or id; the voice's default for None. Raises TextError."""
        own = self.settings
        if speaker is None:
            return own.default_speaker
        if speaker in own.speakers:
            return own.speakers[str(speaker)]
        number = int(speaker) if str(speaker).isdecimal() else -1
        if 0 <= number < max(own.speaker_count, 1):
            return number
        names = ", ".join(self.speakers[:8]) + (", …" if len(self.speakers) > 8 else "")
        raise TextError(
            "the voice has no such speaker",
            file=self.path,
            field="speaker",
            expected=f"one of {names}" if names else "none: this voice has a single speaker",
            got=speaker,
            remedy="Name one of the voice's speakers, or its number.",
        )


def full_scale(audio: Audio) -> Audio:
    """Raise a sentence so that its peak is 1, as Piper does by default; silence stays silence."""
    peak = np.max(np.abs(audio), initial=0.0)
    if peak < _SILENCE:
        return np.zeros_like(audio)
    return np.asarray(np.clip(audio / peak, -1.0, 1.0), dtype=np.float32)


def to_pcm(audio: Audio) -> NDArray[np.int16]:
    """16-bit samples, truncated towards zero as Piper does, so that files compare."""
    return np.asarray(np.clip(audio * 32767.0, -32767.0, 32767.0), dtype=np.int16)
