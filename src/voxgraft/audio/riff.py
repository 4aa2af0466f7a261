"""The sizes that a WAV file declares: a truncated recording told from a whole one, a size that was never written mended."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# What streaming writers put where the size is not known yet, and what a recorder that was stopped leaves.
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_LARGEST_SIZE = 0xFFFFF000
_MOST_CHUNKS = 1000


@dataclass(frozen=True)
class Sound:
    """Where the sound of a WAV file lies: from byte `begin`, `declared` bytes by its header, `present` up to the end of the
    file. `known`: the header says how many there are."""

    begin: int
    declared: int
    present: int
    known: bool
    order: str

    @property
    def missing(self) -> int:
        """How many bytes the header promises beyond the end of the file."""
        return max(0, self.declared - self.present) if self.known else 0


def find_sound(path: Path) -> Sound | None:
    """The sound of a WAV file, by its chunks; None for anything else."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RIFX") or head[8:12] != b"WAVE":
            return None
        order = ">" if head[:4] == b"RIFX" else "<"
        for _ in range(_MOST_CHUNKS):
            chunk = file.read(8)
            if len(chunk) < 8:
                return None
            name, length = chunk[:4], struct.unpack(f"{order}I", chunk[4:])[0]
            if name == b"data":
                begin = file.tell()
                unknown = length >= _LARGEST_SIZE or length in _UNKNOWN_SIZES
                if length == 0 and _are_chunks(file, size, order):
                    unknown = False
                return Sound(begin, length, size - begin, not unknown, order)
            file.seek(length + length % 2, os.SEEK_CUR)
    return None


def open_as_whole(path: Path, sound: Sound) -> BinaryIO:
    """The file with the size in its header that its sound has: for one that does not say how much there is."""
    return io.BufferedReader(_WithSize(path, sound))


def _are_chunks(file: BinaryIO, size: int, order: str) -> bool:
    """Whether the rest of the file is empty or nothing but whole chunks: then there really is no sound."""
    for _ in range(_MOST_CHUNKS):
        if file.tell() == size:
            return True
        chunk = file.read(8)
        if len(chunk) < 8 or not all(32 <= byte < 127 for byte in chunk[:4]):
            return False
        length = struct.unpack(f"{order}I", chunk[4:])[0]
        file.seek(length + length % 2, os.SEEK_CUR)
        if file.tell() > size + 1:
            return False
        if file.tell() >= size:
            return True
    return False


class _WithSize(io.RawIOBase):
    """A file whose 4 bytes of a chunk's size read as the size that is there."""

    def __init__(self, path: Path, sound: Sound) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115, closed with this one
        self._at = sound.begin - 4
        self._size = struct.pack(f"{sound.order}I", min(sound.present, _LARGEST_SIZE - 1))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        begin = self._file.tell()
        count = self._file.readinto(buffer) or 0
        for place, byte in enumerate(self._size, self._at - begin):
            if 0 <= place < count:
                buffer[place] = byte
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
