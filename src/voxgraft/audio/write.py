"""16-bit WAV: at once, or growing piece by piece with flat memory and no limit on length; whole, or not there at all."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from voxgraft.errors import AudioError
from voxgraft.files import discard, name_beside, write_atomically

_LARGEST_RIFF = 2**32 - 1
_UNKNOWN = 2**32 - 1
# RIFF, size, WAVE · JUNK that becomes ds64 past 4 GiB · fmt · data
_HEADER = struct.Struct("<4sI4s 4sI28s 4sIHHIIHH 4sI")


def to_int16(x: np.ndarray) -> NDArray[np.int16]:
    """Float [T] in -1..1 as int16 [T], rounded; what is outside is clipped."""
    return np.rint(np.clip(x, -1.0, 32767 / 32768) * 32768).astype(np.int16)


def write_wav(path: str | os.PathLike[str], x: np.ndarray, rate: int) -> None:
    """Write float [T] in -1..1 as a 16-bit mono WAV file; atomic. Raises OSError that names the file."""
    samples = to_int16(x).astype("<i2", copy=False).tobytes()
    write_atomically(Path(path), (wave_header(rate, len(samples)), samples))


class WaveFile:
    """16-bit mono WAV written beside its place and renamed into it when the block ends well; RF64 past 4 GiB."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        self._path = path
        self._rate = sample_rate
        self._samples = 0

    def __enter__(self) -> WaveFile:
        self._temporary = name_beside(self._path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self._temporary, "xb")
            self._file.write(wave_header(self._rate, 0))
        except BaseException as fault:
            # An interrupt before the block has begun does not end it.
            discard(self._temporary)
            if isinstance(fault, OSError):
                raise _unwritable(self._path, fault) from fault
            raise
        return self

    def write(self, pcm: NDArray[np.int16]) -> None:
        """Append samples [T]. Raises AudioError where the disk refuses them."""
        try:
            self._file.write(pcm.astype("<i2", copy=False).tobytes())
        except OSError as fault:
            raise _unwritable(self._path, fault) from fault
        self._samples += len(pcm)

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as fault:
            raise _unwritable(self._path, fault) from fault
        finally:
            self._file.close()
            discard(self._temporary)

    def _finish(self) -> None:
        self._file.seek(0)
        self._file.write(wave_header(self._rate, 2 * self._samples))
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._temporary, self._path)


def wave_header(sample_rate: int, size: int | None) -> bytes:
    """Header of a 16-bit mono WAV with `size` bytes of samples; None for a stream whose length is not known."""
    junk, riff = bytes(28), _HEADER.size - 8 + (size or 0)
    names, sizes = (b"RIFF", b"JUNK"), (riff, size)
    if size is None:
        sizes = (_UNKNOWN, _UNKNOWN)
    elif riff > _LARGEST_RIFF:
        names, sizes = (b"RF64", b"ds64"), (_UNKNOWN, _UNKNOWN)
        junk = struct.pack("<QQQI", riff, size, size // 2, 0)
    form = (b"fmt ", 16, 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    return _HEADER.pack(names[0], sizes[0], b"WAVE", names[1], 28, junk, *form, b"data", sizes[1])


def _unwritable(path: Path, fault: OSError) -> AudioError:
    return AudioError(
        f"can't be written: {fault.strerror or fault}",
        file=path,
        remedy="Choose a place that you may write to and that has room.",
    )
