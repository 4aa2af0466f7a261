"""Files of torch.save, read without torch and without running anything: zip archives and the older streams.

The container's layout: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
"""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.containers.torch.allowed_globals import HANDLERS, NAMES
from voxgraft.checkpoints.containers.torch.file_window import FileWindow
from voxgraft.checkpoints.containers.torch.pickle_machine import PickleMachine
from voxgraft.checkpoints.containers.torch.pickled import Opaque, Unpickled, require_bounded
from voxgraft.checkpoints.containers.torch.tensor import Bytes, Storage
from voxgraft.checkpoints.containers.wrappers import unwrap_states
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
_MAX_PICKLE = 256 * 2**20
_MAX_ENTRIES = 200_000
_MAX_INFLATION = 200
_FREELY_INFLATED = 16 * 2**20
# What Python's zipfile raises where a directory is damaged, encrypted or compressed in a way it doesn't know.
_DAMAGE = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, struct.error, ValueError, LookupError, OverflowError)
_LOCAL_HEADER = struct.Struct("<4s22xHH")
# The same with how an entry is compressed and to how many bytes.
_LOCAL = struct.Struct("<4s4xH8xI4xHH")
_MAX_LOST = 1000
_DAMAGED = "The file is damaged or incomplete: copy or download it again."
_HOSTILE = "Don't use this file; ask its maker for one with weights only."


@dataclass(frozen=True)
class TorchFile:
    """What torch.save wrote: plain data and TorchTensors. `unsafe_*` is what a naive loader would have imported, run."""

    content: Any
    container: str
    unsafe_globals: tuple[str, ...]
    unsafe_calls: tuple[str, ...]


def is_torch_file(path: Path) -> bool:
    """True for a zip archive or a pickle stream: what torch.save writes, or a damaged or hostile likeness."""
    with open_regular(path) as file:
        head = file.read(4)
    return head[:2] == b"PK" or head[:1] == b"\x80"


def read_torch_file(path: Path) -> TorchFile:
    """Read structure and plain values; tensors stay on disk. Raises CheckpointError for damage and for bombs."""
    with open_regular(path) as file:
        head = file.read(2)
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with naming_file(path), _naming_calls() as calls:
        return _read_zip(path, buffer, calls) if head == b"PK" else _read_stream(buffer, calls)


def read_embedded_torch_file(path: Path, start: int, size: int) -> TorchFile:
    """The same for a zip of torch.save that lies in a larger file: `size` bytes from `start` on."""
    with open_regular(path) as file:
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    view = memoryview(buffer)[start : start + size]
    with naming_file(path), _naming_calls() as calls:
        if bytes(view[:2]) != b"PK":
            raise CheckpointError("weights that today's torch.save didn't write", remedy="Give a newer file.")
        return _read_zip(FileWindow(view), view, calls)


def require_undamaged(path: Path) -> None:
    """Compare every checksum in a file of torch.save, whose loader compares none. Raises CheckpointError.

    The older streams have no checksums: nothing can be said of them.
    """
    if not is_torch_file(path):
        return
    with open_regular(path) as file, naming_file(path):
        if file.read(2) != b"PK":
            return
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except _DAMAGE as fault:
            raise _damaged_archive(fault) from fault
        for entry in entries:
            with naming_file(path, field=entry.filename):
                _place(buffer, entry).read()


def _damaged_archive(fault: Exception) -> CheckpointError:
    return CheckpointError(f"the archive is damaged: {str(fault)[:100] or type(fault).__name__}", remedy=_DAMAGED)


@contextmanager
def _naming_calls() -> Iterator[dict[str, None]]:
    """Where a file can't be read, say what loading it would have run: a hostile file cut short is not merely damaged."""
    calls: dict[str, None] = {}
    try:
        yield calls
    except CheckpointError as fault:
        if not calls or fault.remedy == _HOSTILE:
            raise
        raise CheckpointError(
            f"{fault.problem}; a naive loader would have run {next(iter(calls))}",
            field=fault.field,
            expected=fault.expected,
            got=fault.got,
            remedy=_HOSTILE,
        ) from fault


def _unpickle(file: Any, load_persistent: Callable[[Any], Any], calls: dict[str, None]) -> Unpickled:
    """One pickle; `calls` gathers those of all pickles in a file, also of one that is damaged."""
    result = PickleMachine(HANDLERS, NAMES, load_persistent, calls).run(file)
    require_bounded(result)
    return result


def _look_for_calls(buffer: mmap.mmap | memoryview, calls: dict[str, None]) -> None:
    """Go through the pickle of an archive whose directory is lost: the first that lies in it."""
    begin = 0
    for _ in range(_MAX_LOST):
        head = bytes(buffer[begin : begin + _LOCAL.size])
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            return
        method, packed, name_size, extra_size = _LOCAL.unpack(head)[1:]
        start = begin + _LOCAL.size + name_size + extra_size
        if bytes(buffer[begin + _LOCAL.size : begin + _LOCAL.size + name_size]).endswith(b"data.pkl"):
            raw = bytes(buffer[start : start + _MAX_PICKLE])
            with suppress(CheckpointError, zlib.error):
                if method == zipfile.ZIP_DEFLATED:
                    raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, _FREELY_INFLATED)
                _unpickle(io.BytesIO(raw), lambda identity: Opaque("storage"), calls)
            return
        begin = start + packed


def _read_zip(source: Path | FileWindow, buffer: mmap.mmap | memoryview, calls: dict[str, None]) -> TorchFile:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            prefix = _prefix(entries)
            raw = _read_small(buffer, entries[f"{prefix}data.pkl"])
            order = entries.get(f"{prefix}byteorder")
            big_endian = order is not None and _read_small(buffer, order).strip() == b"big"
    except _DAMAGE as fault:
        _look_for_calls(buffer, calls)
        raise _damaged_archive(fault) from fault
    storages: dict[str, Storage] = {}

    def load_persistent(identity: Any) -> Storage:
        code, key, numel = _storage_identity(identity)
        if key not in storages:
            entry = entries.get(f"{prefix}data/{key}")
            if entry is None:
                raise CheckpointError("a tensor's data is absent", field=f"storage {key}", remedy=_DAMAGED)
            storage = Storage(key, code, numel, big_endian=big_endian)
            storage.put(_place(buffer, entry))
            storages[key] = storage
        return storages[key]

    result = _unpickle(io.BytesIO(raw), load_persistent, calls)
    unwrap_states(result.content)
    return TorchFile(result.content, "zip", result.globals, result.calls)


def _prefix(entries: dict[str, zipfile.ZipInfo]) -> str:
    """The folder in the archive that holds data.pkl; there must be one."""
    if len(entries) > _MAX_ENTRIES:
        raise CheckpointError("more entries than any real checkpoint has", got=len(entries), remedy=_HOSTILE)
    found = [name.removesuffix("data.pkl") for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if not found:
        kind = "a TorchScript or ExecuTorch program" if any("code/" in name for name in entries) else "no data.pkl"
        raise CheckpointError(
            f"a zip archive that torch.save didn't write ({kind})",
            remedy="Give a .ckpt or .pth with weights.",
        )
    return min(found, key=len)


def _read_small(buffer: mmap.mmap | memoryview, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > _MAX_PICKLE:
        raise CheckpointError("the pickle is far larger than any real checkpoint's", remedy=_HOSTILE)
    with naming_file(field=entry.filename):
        return _place(buffer, entry).content()


def _refuse_bomb(entry: zipfile.ZipInfo) -> None:
    if entry.file_size > _FREELY_INFLATED and entry.file_size > _MAX_INFLATION * max(entry.compress_size, 1):
        raise CheckpointError(
            "a zip bomb",
            field=entry.filename,
            got=f"{entry.file_size} bytes from {entry.compress_size}",
            remedy=_HOSTILE,
        )


def _place(buffer: mmap.mmap | memoryview, entry: zipfile.ZipInfo) -> Bytes:
    """Where an entry's bytes lie in the file."""
    field = entry.filename
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CheckpointError("an entry is encrypted or compressed in an unusual way", field=field, remedy=_HOSTILE)
    begin = entry.header_offset
    if begin < 0 or begin + _LOCAL_HEADER.size > len(buffer):
        raise CheckpointError("an entry lies outside the file", field=field, remedy=_DAMAGED)
    signature, name_size, extra_size = _LOCAL_HEADER.unpack_from(buffer, begin)
    start = begin + _LOCAL_HEADER.size + name_size + extra_size
    if signature != b"PK\x03\x04" or start + entry.compress_size > len(buffer):
        raise CheckpointError("an entry is cut off", field=field, remedy=_DAMAGED)
    if entry.compress_type == zipfile.ZIP_STORED:
        return Bytes(buffer, start, min(entry.compress_size, entry.file_size), crc=entry.CRC)
    _refuse_bomb(entry)
    return Bytes(buffer, start, entry.compress_size, entry.file_size, entry.CRC)


def _read_stream(buffer: mmap.mmap, calls: dict[str, None]) -> TorchFile:
    """Old torch.save: magic number, version, system, object, keys of storages, then each storage's count and bytes."""
    storages: dict[str, Storage] = {}
    magic = _unpickle(buffer, _refuse_persistent, calls)
    if magic.content != MAGIC_NUMBER:
        raise CheckpointError(
            "a plain pickle, not a checkpoint of torch.save",
            remedy="Give a checkpoint that torch.save wrote, such as a .ckpt or .pth.",
        )
    version = _unpickle(buffer, _refuse_persistent, calls)
    system = _unpickle(buffer, _refuse_persistent, calls)
    if version.content != PROTOCOL_VERSION or not isinstance(system.content, dict):
        raise CheckpointError("an unknown version of torch.save", expected=PROTOCOL_VERSION, remedy=_DAMAGED)
    big_endian = system.content.get("little_endian") is False

    def load_persistent(identity: Any) -> Storage:
        code, key, numel = _storage_identity(identity)
        return storages.setdefault(key, Storage(key, code, numel, big_endian=big_endian))

    result = _unpickle(buffer, load_persistent, calls)
    keys = _unpickle(buffer, _refuse_persistent, calls)
    _place_storages(buffer, keys.content, storages)
    unwrap_states(result.content)
    parts = (magic, version, system, result, keys)
    return TorchFile(
        result.content,
        "stream",
        tuple(dict.fromkeys(name for part in parts for name in part.globals)),
        tuple(calls),
    )


def _place_storages(buffer: mmap.mmap, keys: Any, storages: dict[str, Storage]) -> None:
    if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
        raise CheckpointError("the list of tensors doesn't fit the tensors", remedy=_DAMAGED)
    position = buffer.tell()
    for key in keys:
        storage = storages[str(key)]
        if position + 8 > len(buffer):
            raise CheckpointError("a tensor's data is cut off", field=f"storage {key}", remedy=_DAMAGED)
        count: int = struct.unpack_from(">q" if storage.big_endian else "<q", buffer, position)[0]
        position += 8
        size = count * storage.itemsize
        if count != storage.numel or size > len(buffer) - position:
            raise CheckpointError(
                "a tensor's data is cut off",
                field=f"storage {key}",
                expected=f"{storage.numel * storage.itemsize} bytes",
                got=len(buffer) - position,
                remedy=_DAMAGED,
            )
        storage.put(Bytes(buffer, position, size))
        position += size


def _storage_identity(identity: Any) -> tuple[str, str, int]:
    """(dtype code, key, elements) of `("storage", class, key, location, elements, …)`."""
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        raise CheckpointError("a reference to something that is no storage", remedy=_DAMAGED)
    _, kind, key, _, numel = identity[:5]
    if not isinstance(kind, str) or not kind.startswith("storage "):
        raise CheckpointError("a storage of unknown type", got=str(kind)[:80], remedy=_DAMAGED)
    if not isinstance(key, str) or type(numel) is not int or not 0 <= numel < 2**48:
        raise CheckpointError("a storage of impossible size", got=str(numel)[:40], remedy=_DAMAGED)
    return kind.removeprefix("storage "), key, numel


def _refuse_persistent(identity: Any) -> Any:
    raise CheckpointError("a reference where none may be", remedy=_DAMAGED)
