"""Vocoder: makes sound of mel spectrograms with onnxruntime; no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.errors import CheckpointError
from voxgraft.inference.session import open_session
from voxgraft.inference.vocoder.settings import VocoderSettings, settings_in
from voxgraft.inference.vocoder.spectrum import sound_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SEED = 20
# An input of the graph beyond the spectrogram, of N(0, 1) for each frame.
NOISE = "noise"
_SPECTRUM = 3


class Vocoder:
    """An exported vocoder, ours or another's: a graph from mel to audio, or to magnitudes and phases as sherpa-onnx takes them.

    Letters in shapes: B batch, M mel bands, T frames.
    """

    def __init__(self, session: InferenceSession, path: Path, settings: VocoderSettings) -> None:
        self.path, self.settings = path, settings
        self._session = session
        inputs = session.get_inputs()
        self._mel = inputs[0].name
        self._noise = next((node.shape[1] for node in inputs if node.name == NOISE), 0)
        bands = inputs[0].shape[1]
        self.mels: int | None = bands if isinstance(bands, int) else None

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> Vocoder:
        """Open a .onnx. CheckpointError where it is damaged or no vocoder."""
        path = Path(path)
        session = open_session(path, threads=threads)
        _require_vocoder(session, path)
        return cls(session, path, settings_in(session.get_modelmeta().custom_metadata_map, path))

    @property
    def sample_rate(self) -> int | None:
        """Samples a second; None where the file does not say."""
        return self.settings.audio.sample_rate if self.settings.audio is not None else None

    def speak(self, mel: np.ndarray, *, seed: int = SEED) -> np.ndarray:
        """Log mel [M, T] or [B, M, T], as `settings.audio` has it -> float32 [samples] or [B, samples], in -1..1 as it comes out.

        The same seed gives the same sound. CheckpointError where the spectrogram has another number of bands.
        """
        batch = np.ascontiguousarray(mel if mel.ndim == 3 else mel[None], np.float32)
        if self.mels is not None and batch.shape[1] != self.mels:
            raise CheckpointError(
                "the spectrogram has another number of mel bands than the vocoder reads",
                file=self.path,
                field="n_mels",
                expected=self.mels,
                got=batch.shape[1],
                remedy="Take a vocoder for such spectrograms.",
            )
        given = {self._mel: batch}
        if self._noise:
            shape = (len(batch), self._noise, batch.shape[2])
            given[NOISE] = np.random.default_rng(seed).standard_normal(shape, np.float32)
        outputs = self._session.run(None, given)
        if len(outputs) == _SPECTRUM:
            audio = np.stack([sound_of(*(part[row] for part in outputs)) for row in range(len(batch))])
        else:
            audio = outputs[0].reshape(len(batch), -1)
        return audio if mel.ndim == 3 else audio[0]


def _require_vocoder(session: InferenceSession, path: Path) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = bool(inputs) and len(inputs[0].shape) == 3 and inputs[0].type == "tensor(float)"
    fits = fits and all(node.name == NOISE for node in inputs[1:]) and len(outputs) in (1, _SPECTRUM)
    if not fits:
        raise CheckpointError(
            "this model is no vocoder",
            file=path,
            field="inputs",
            expected="a mel spectrogram [batch, mels, frames]",
            got=", ".join(f"{node.name} {node.type} {node.shape}" for node in inputs)[:200] or "none",
            remedy="Take the .onnx of a vocoder, or export one with voxgraft export.",
        )
