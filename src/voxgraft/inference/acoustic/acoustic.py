"""Acoustic: a text-to-spec model on onnxruntime, sentence by sentence, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voxgraft.errors import CheckpointError, TextError
from voxgraft.inference.acoustic.controls import Controls, chosen
from voxgraft.inference.acoustic.settings import AcousticSettings, read_acoustic_settings
from voxgraft.inference.session import open_session
from voxgraft.text.encode import stream_text
from voxgraft.text.symbols import Encoding

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@dataclass(frozen=True)
class Spoken:
    """mel float32 [M, T], durations int64 [N] in frames of the symbols `ids`."""

    mel: NDArray[np.float32]
    durations: NDArray[np.int64]
    ids: tuple[int, ...]


class Acoustic:
    """A model that turns text into mel spectrograms. `path` is its .onnx; `settings` is what it says of itself."""

    def __init__(self, path: Path, settings: AcousticSettings, session: InferenceSession) -> None:
        self.path, self.settings, self._session = path, settings, session
        required = {node.name for node in session.get_inputs()}
        self._inputs = required | {node.name for node in session.get_overridable_initializers()}
        unknown = sorted(required - {"input", "input_lengths", "noise_scale", "length_scale", "sid"})
        if unknown or not {"input", "input_lengths", "length_scale"} <= self._inputs:
            raise CheckpointError(
                "this is not the graph of a text-to-spec model",
                file=path,
                field="inputs",
                expected="input, input_lengths, noise_scale, length_scale and perhaps sid",
                got=", ".join(sorted(required))[:200],
                remedy="Export the model again with `voxgraft export --to onnx`.",
            )

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None, seed: int | None = None) -> Acoustic:
        """Open an exported .onnx. `seed` makes the noise repeatable of a model that has any. Raises CheckpointError."""
        path = Path(path)
        if not path.is_file():
            raise CheckpointError("there is no such file", file=path, remedy="Give the path of an exported model.")
        session = open_session(path, threads=threads, seed=seed)
        return cls(path, read_acoustic_settings(session.get_modelmeta().custom_metadata_map, path), session)

    def encode(self, text: str, *, voice: str | None = None) -> Iterator[Encoding]:
        """Ids of each sentence, and the symbols of it that the model doesn't know."""
        return stream_text(text, self.settings.symbols, voice=voice)

    def require(self, controls: Controls) -> None:
        """Raise TextError where the model has no such speaker or language, or can't heed what is to be turned."""
        self._feed((0,), controls)

    def mels(self, text: str, controls: Controls | None = None) -> Iterator[Spoken]:
        """A spectrogram for each sentence of a text. Raises TextError, CheckpointError."""
        said = False
        for encoding in self.encode(text):
            if encoding.ids:
                yield self.mel(encoding.ids, controls)
                said = True
        if not said:
            raise TextError(
                "there is nothing to say", expected="some words", got=repr(text[:40]), remedy="Give a text."
            )

    def mel(self, ids: Sequence[int], controls: Controls | None = None) -> Spoken:
        """The spectrogram of one sentence's ids. Raises TextError for a speaker or language that isn't there, CheckpointError."""
        feed = self._feed(ids, controls or Controls())
        try:
            mel, durations = self._session.run(["mel", "durations"], feed)
        except Exception as fault:
            raise CheckpointError(
                f"the model failed on a sentence of {len(ids)} ids: {' '.join(str(fault).split())[:200]}",
                file=self.path,
                remedy="Export it again, and see that memory suffices.",
            ) from fault
        if not mel.size or not np.isfinite(mel).all():
            raise CheckpointError(
                "the model gives numbers that are not finite",
                file=self.path,
                field=f"a sentence of {len(ids)} ids",
                remedy="Its weights are damaged or were spoilt in training: export an earlier checkpoint.",
            )
        return Spoken(mel[0], durations[0], tuple(ids))

    def _feed(self, ids: Sequence[int], controls: Controls) -> Mapping[str, NDArray[np.generic]]:
        own = self.settings
        feed: dict[str, NDArray[np.generic]] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
        }
        feed |= controls.scales(own.controls, self._inputs, self.path, noise=own.noise_scale, length=own.length_scale)
        if "sid" in self._inputs:
            feed["sid"] = np.array([chosen("speaker", controls.speaker, own.speakers, self.path)], np.int64)
        elif controls.speaker is not None:
            chosen("speaker", controls.speaker, own.speakers[:1], self.path)
        if "lid" in self._inputs:
            feed["lid"] = np.array([chosen("language", controls.language, own.languages, self.path)], np.int64)
        elif controls.language is not None:
            chosen("language", controls.language, own.languages[:1], self.path)
        return feed
