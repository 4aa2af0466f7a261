"""Tensor bundles, the checkpoints of TensorFlow 1: NAME.index with names and places, NAME.data-* with raw values.

Source: https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/util/tensor_bundle and
tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import math
import mmap
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from voxgraft.checkpoints.containers.protobuf import BYTES, FIXED32, VARINT, FieldBudget, Span, as_signed, read_fields
from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.containers.tf_bundle.crc32c import masked_crc32c
from voxgraft.checkpoints.containers.tf_bundle.leveldb_table import printable, read_table
from voxgraft.checkpoints.containers.torch.tensor import MAX_DIMS, numpy_dtype
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular

SUFFIX = ".index"
# How every index begins: an empty key, and a header that begins with the number of shards.
_HEAD = (b"\x00\x00", b"\x08")
_MAX_INDEX = 64 * 2**20
_MAX_SHARDS = 10_000
_MAX_FIELDS = 1_000_000
_DAMAGED = "The checkpoint is damaged or incomplete: copy or download it again."

# DataType of tensorflow/core/framework/types.proto -> numpy; the rest by name, for messages.
_DTYPES = {
    1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 8: "c8", 9: "i8", 10: "?", 14: "bf16", 17: "u2", 18: "c16",
    19: "f2", 22: "u4", 23: "u8",
}  # fmt: skip
_UNREAD = {
    7: "string",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    15: "qint16",
    16: "quint16",
    20: "resource",
    21: "variant",
}


@dataclass(frozen=True)
class Header:
    """BundleHeaderProto: how many files hold the values, and in which order of bytes."""

    shards: int = 0
    big_endian: bool = False


@dataclass(frozen=True)
class Shard:
    """A file of values, mapped into memory when a tensor is first read."""

    path: Path
    size: int

    @cached_property
    def buffer(self) -> mmap.mmap:
        """Its bytes."""
        try:
            with open_regular(self.path) as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as fault:
            raise CheckpointError(f"can't be read: {fault}", file=self.path, remedy=_DAMAGED) from fault


@dataclass(frozen=True)
class Entry:
    """BundleEntryProto: type, shape and place of one tensor, and the masked CRC-32C of its bytes."""

    name: str
    dtype: int = 0
    shape: tuple[int, ...] = ()
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0


def looks_like_index(head: bytes) -> bool:
    """Whether a file that begins like this is the index of a tensor bundle."""
    return head[:2] == _HEAD[0] and head[3:4] == _HEAD[1]


@dataclass(frozen=True)
class Bundle:
    """A checkpoint: its tensors by name, and all of its files, the index first."""

    tensors: dict[str, LazyTensor]
    files: tuple[Path, ...]


def names_in(index: Path) -> frozenset[str]:
    """Names of the tensors in an index. Raises CheckpointError where it is damaged."""
    with naming_file(index):
        return frozenset(printable(key) for key in read_table(_read_index(index)) if key)


def read_bundle(index: Path) -> Bundle:
    """The bundle NAME.index; values are read, and their checksums compared, when a tensor is asked for.

    Raises CheckpointError where the index is damaged, a file of values is absent, cut off or outside the folder, or a
    tensor can't be where the index says.
    """
    with naming_file(index):
        raw = _read_index(index)
        entries = read_table(raw)
        if next(iter(entries), None) != b"":
            raise CheckpointError("the index has no header", remedy=_DAMAGED)
        budget = FieldBudget(_MAX_FIELDS)
        header = _read_header(raw, entries.pop(b""), budget)
        read = [_read_entry(raw, key, span, budget) for key, span in entries.items()]
    shards = _shards(index, header.shards)
    tensors = {entry.name: _lazy(entry, shards, header, index) for entry in read}
    return Bundle(tensors, (index, *(shard.path for shard in shards)))


def _shards(index: Path, count: int) -> tuple[Shard, ...]:
    if index.suffix != SUFFIX:
        raise CheckpointError(
            "its data files can't be told from its name", file=index, expected=f"NAME{SUFFIX}", remedy="Rename it."
        )
    stem = index.name.removesuffix(SUFFIX)
    return tuple(_shard(index.with_name(f"{stem}.data-{number:05d}-of-{count:05d}")) for number in range(count))


def _shard(path: Path) -> Shard:
    if not path.is_file():
        raise CheckpointError(
            "this file of the checkpoint is not there", file=path, remedy="Copy it beside the .index, or save again."
        )
    if not path.resolve().is_relative_to(path.parent.resolve()):
        raise CheckpointError(
            "a link out of the folder", file=path, remedy="Put the file itself there, if you trust where it comes from."
        )
    return Shard(path, path.stat().st_size)


def _read_index(index: Path) -> bytes:
    with open_regular(index) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MAX_INDEX:
            raise CheckpointError(
                "far too large for an index", expected=f"at most {_MAX_INDEX} bytes", got=size, remedy=_DAMAGED
            )
        return file.read(size)


def _read_header(raw: bytes, span: Span, budget: FieldBudget) -> Header:
    fields = {(number, wire): value for number, wire, value in read_fields(raw, span, budget)}
    shards, endianness = fields.get((1, VARINT), 0), fields.get((2, VARINT), 0)
    if not isinstance(shards, int) or not 1 <= shards <= _MAX_SHARDS or endianness not in (0, 1):
        raise CheckpointError("the header of the index is damaged", field="num_shards", got=shards, remedy=_DAMAGED)
    return Header(shards, endianness == 1)


def _read_entry(raw: bytes, key: bytes, span: Span, budget: FieldBudget) -> Entry:
    try:
        name = key.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise CheckpointError("a name is not UTF-8", field=printable(key), remedy=_DAMAGED) from fault
    fields: dict[tuple[int, int], int | Span] = {}
    for number, wire, value in read_fields(raw, span, budget):
        if number == 7:
            raise CheckpointError(
                "a variable that was saved in slices",
                field=name,
                remedy="Save it without a partitioner.",
            )
        fields[number, wire] = value
    shape, crc = fields.get((2, BYTES)), fields.get((6, FIXED32))
    numbers = {
        attribute: value
        for attribute, field in (("dtype", 1), ("shard", 3), ("offset", 4), ("size", 5))
        if isinstance(value := fields.get((field, VARINT), 0), int)
    }
    return Entry(
        name,
        shape=_read_shape(raw, shape, name, budget) if isinstance(shape, tuple) else (),
        crc=int.from_bytes(raw[crc[0] : crc[1]], "little") if isinstance(crc, tuple) else 0,
        **numbers,
    )


def _read_shape(raw: bytes, span: Span, name: str, budget: FieldBudget) -> tuple[int, ...]:
    """TensorShapeProto: a message for each dimension, its size in field 1."""
    sizes: list[int] = []
    for number, wire, value in read_fields(raw, span, budget):
        if (number, wire) == (2, BYTES) and isinstance(value, tuple):
            size = 0
            for inner, kind, found in read_fields(raw, value, budget):
                if (inner, kind) == (1, VARINT) and isinstance(found, int):
                    size = as_signed(found)
            sizes.append(size)
        elif (number, wire) == (3, VARINT) and value:
            raise CheckpointError("a tensor of unknown shape", field=name, remedy=_DAMAGED)
    if len(sizes) > MAX_DIMS or any(not 0 <= size < 2**48 for size in sizes):
        raise CheckpointError("a tensor of impossible shape", field=name, got=sizes[:8], remedy=_DAMAGED)
    return tuple(sizes)


def _lazy(entry: Entry, shards: tuple[Shard, ...], header: Header, index: Path) -> LazyTensor:
    """The tensor, once its place is known to lie in its shard and to be as large as its shape says."""
    if entry.dtype not in _DTYPES:
        kind = _UNREAD.get(entry.dtype, f"type {entry.dtype}")
        raise CheckpointError(
            "a tensor of a type that is not read here", file=index, field=entry.name, expected="numbers", got=kind,
            remedy="Save the checkpoint with TensorFlow 1's Saver.",
        )  # fmt: skip
    dtype = numpy_dtype(_DTYPES[entry.dtype], header.big_endian)
    size = math.prod(entry.shape) * dtype.itemsize
    if entry.size != size:
        raise CheckpointError(
            "a tensor's shape and size contradict each other", file=index, field=entry.name,
            expected=f"{size} bytes for shape {list(entry.shape)[:8]}", got=entry.size, remedy=_DAMAGED,
        )  # fmt: skip
    if entry.shard >= len(shards):
        raise CheckpointError(
            "a tensor lies in a file that the checkpoint does not have", file=index, field=entry.name,
            expected=f"one of {len(shards)}", got=entry.shard, remedy=_DAMAGED,
        )  # fmt: skip
    shard = shards[entry.shard]
    if entry.offset + size > shard.size:
        raise CheckpointError(
            "the file is cut off: a tensor reaches beyond its end", file=shard.path, field=entry.name,
            expected=f"at least {entry.offset + size} bytes", got=shard.size, remedy=_DAMAGED,
        )  # fmt: skip
    return LazyTensor(entry.shape, lambda: _load(entry, shard, dtype))


def _load(entry: Entry, shard: Shard, dtype: np.dtype) -> np.ndarray:
    """The values, a read-only view of the memory map, once their checksum is right."""
    span = (entry.offset, entry.offset + entry.size)
    if not entry.size:
        return np.empty(entry.shape, dtype.newbyteorder("="))
    if len(shard.buffer) < span[1] or masked_crc32c(shard.buffer, span) != entry.crc:
        raise CheckpointError("the values of a tensor are damaged", file=shard.path, field=entry.name, remedy=_DAMAGED)
    array = np.frombuffer(shard.buffer, np.uint8, entry.size, entry.offset).view(dtype).reshape(entry.shape)
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))
