"""A cache of arrays on disk: an entry is whole or absent, whatever was killed while it was written."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically


class ArrayCache:
    """Entries of named arrays under hexadecimal keys, one .npy each, read by memory map."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder = folder
        self.names = names

    def paths(self, key: str) -> tuple[Path, ...]:
        """Files of an entry, in the order in which they are written."""
        return tuple(self.folder / key[:2] / f"{key}.{name}.npy" for name in self.names)

    def has(self, key: str) -> bool:
        """Whether an entry is whole: its last file is renamed into place only after the others."""
        return all(_is_whole(path) for path in self.paths(key))

    def write(self, key: str, arrays: tuple[np.ndarray, ...]) -> None:
        """Store an entry."""
        for path, array in zip(self.paths(key), arrays, strict=True):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            try:
                write_atomically(path, buffer.getvalue())
            except OSError as fault:
                raise CorpusError(
                    f"can't be written: {fault.strerror}",
                    file=path,
                    remedy="free disk space or choose another cache folder",
                ) from fault


def _is_whole(path: Path) -> bool:
    """Whether a .npy is as long as its header says: a cheap guard against what a full disk or a crash left."""
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            return os.fstat(file.fileno()).st_size == file.tell() + int(np.prod(shape)) * dtype.itemsize
    except (OSError, ValueError):
        return False
