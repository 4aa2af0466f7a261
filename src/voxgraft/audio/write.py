"""Write audio as 16-bit WAV, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from voxgraft.files import write_atomically


def to_int16(x: np.ndarray) -> np.ndarray:
    """Float [T] in -1..1 as int16 [T], rounded; what is outside is clipped."""
    return np.rint(np.clip(x, -1.0, 32767 / 32768) * 32768).astype(np.int16)


def wav_bytes(x: np.ndarray, rate: int) -> bytes:
    """A 16-bit mono WAV file of float [T] in -1..1."""
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_int16(x).astype("<i2").tobytes())
    return buffer.getvalue()


def write_wav(path: str | os.PathLike[str], x: np.ndarray, rate: int) -> None:
    """Write float [T] in -1..1 as a 16-bit mono WAV file; atomic."""
    write_atomically(Path(path), wav_bytes(x, rate))
