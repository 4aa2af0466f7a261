"""A cache of arrays on disk, by what they were made of: an entry is whole, with its checksums, or it is made again."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import numpy as np

from voxgraft.errors import CorpusError
from voxgraft.files import sha256_of, write_atomically
from voxgraft.progress import notice

# What comes after the array in each file: this, and the CRC-32 of all before it, little-endian.
_MARK = b"CRC2"
_TRAILER = len(_MARK) + 4
_BLOCK = 1 << 20


class ArrayCache:
    """Entries of named arrays, one .npy each, read by memory map.

    `settings` is all that decides what an entry holds besides the recording: parameters, and the version of the code.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.names = names
        self._settings = settings

    def entry(self, recording: Path, make: Callable[[], tuple[np.ndarray, ...]]) -> tuple[str, tuple[Path, ...]]:
        """A recording's SHA-256 and the files of its arrays, made where they are not there whole. OSError: it can't be read."""
        content = sha256_of(recording)
        key = self._key(content)
        paths = tuple(self.folder / key[:2] / f"{key}.{name}.npy" for name in self.names)
        states = [_is_whole(path) for path in paths]
        damaged = [path for path, whole in zip(paths, states, strict=True) if whole is False]
        if damaged:
            notice(f"damaged in the cache, and made again: {damaged[0]}")
        if not all(states):
            self._write(paths, make())
        return content, paths

    def _key(self, content: str) -> str:
        parts = json.dumps({"content": content, **self._settings}, sort_keys=True)
        return hashlib.sha256(parts.encode()).hexdigest()

    def _write(self, paths: Sequence[Path], arrays: tuple[np.ndarray, ...]) -> None:
        for path, array in zip(paths, arrays, strict=True):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            content = buffer.getvalue()
            try:
                # Its checksum tells whether it is whole, even after a power cut: nothing waits for the disk.
                write_atomically(path, content + _trailer(zlib.crc32(content)), durable=False)
            except OSError as fault:
                raise CorpusError(
                    f"can't be written: {fault.strerror}",
                    file=path,
                    remedy="Free disk space, or check the permissions of the folder.",
                ) from fault


def version_of_code(modules: Sequence[ModuleType | str], packages: Sequence[str]) -> str:
    """A hash of modules (or files) that make entries, and of the versions of the packages that they lean on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for module in modules:
        digest.update(Path(module if isinstance(module, str) else str(module.__file__)).read_bytes())
    for package in packages:
        try:
            digest.update(f"{package}={version(package)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{package} absent\n".encode())
    return digest.hexdigest()


def _trailer(checksum: int) -> bytes:
    return _MARK + checksum.to_bytes(4, "little")


def _is_whole(path: Path) -> bool | None:
    """Whether a file has the content that was written, by its checksum; None where there is none."""
    checksum, last = 0, b""
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                last += block
                checksum = zlib.crc32(memoryview(last)[:-_TRAILER], checksum)
                last = last[-_TRAILER:]
    except FileNotFoundError:
        return None
    except OSError:
        return False
    return last == _trailer(checksum)
