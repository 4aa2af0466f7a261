"""rendered: spectrograms in files as sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CorpusError
from voxgraft.inference.vocoder.vocoder import Vocoder

_REMEDY = "Give a spectrogram as `voxgraft synthesize from-text -O spec` or EveryVoice writes it."


def read_spectrogram(path: Path, bands: int | None, *, time_oriented: bool = False) -> np.ndarray:
    """Float32 [M, T] of a `.npy` or of a tensor in a `.pt`, which is read and never run. `time_oriented`: it lies as [T, M].

    Raises CorpusError where it is no spectrogram of so many bands.
    """
    if not path.is_file():
        raise CorpusError("there is no such file", file=path, remedy="Check the path that --input gives.")
    mel = _array(path)
    mel = mel[0] if mel.ndim == 3 and len(mel) == 1 else mel
    mel = mel.T if time_oriented else mel
    if mel.ndim != 2 or not mel.size or (bands is not None and len(mel) != bands):
        turned = mel.ndim == 2 and bands is not None and mel.shape[1] == bands
        raise CorpusError(
            "not a spectrogram that the vocoder reads",
            file=path,
            field="shape",
            expected=f"({bands or 'bands'}, frames)",
            got=mel.shape,
            remedy="It lies the other way round: add --time-oriented." if turned else _REMEDY,
        )
    if not np.isfinite(mel).all():
        bad = int((~np.isfinite(mel)).sum())
        raise CorpusError(
            f"{bad} of its {mel.size} values are no numbers (NaN or Inf)", file=path, field="values", remedy=_REMEDY
        )
    return np.ascontiguousarray(mel, np.float32)


def _array(path: Path) -> np.ndarray:
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        content = CheckpointSource(path).torch
    except (OSError, ValueError, EOFError) as fault:
        raise CorpusError(f"can't be read: {str(fault)[:120]}", file=path, remedy=_REMEDY) from fault
    if content is None or not isinstance(content.content, TorchTensor):
        raise CorpusError(
            "no tensor",
            file=path,
            expected="a .npy, or a .pt that holds one tensor",
            got=path.suffix or "no suffix",
            remedy=_REMEDY,
        )
    return np.array(content.content.load())


def rendered(vocoder: Vocoder, path: Path, out: Path, sample_rate: int, *, time_oriented: bool = False) -> float:
    """Write the sound of a spectrogram; returns its seconds."""
    from voxgraft.matching.synthesize import write_wave

    audio = vocoder.speak(read_spectrogram(path, vocoder.mels, time_oriented=time_oriented))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_wave(out, audio, sample_rate)
    return len(audio) / sample_rate
