"""The sizes that a WAV file declares, to tell a truncated recording from a whole one."""

from __future__ import annotations

import os
import struct
from pathlib import Path

# What streaming writers put where the size is not known yet.
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_MOST_CHUNKS = 1000


def missing_bytes(path: Path) -> int:
    """How many bytes of sound the header of a WAV file promises beyond the end of the file; 0 for anything else."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RIFX") or head[8:12] != b"WAVE":
            return 0
        order = ">" if head[:4] == b"RIFX" else "<"
        for _ in range(_MOST_CHUNKS):
            chunk = file.read(8)
            if len(chunk) < 8:
                return 0
            name, length = chunk[:4], struct.unpack(f"{order}I", chunk[4:])[0]
            if name == b"data":
                unknown = length in _UNKNOWN_SIZES or length >= 0xFFFFF000
                return 0 if unknown else max(0, file.tell() + length - size)
            file.seek(length + length % 2, os.SEEK_CUR)
    return 0
