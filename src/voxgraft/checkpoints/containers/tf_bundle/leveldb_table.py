"""LevelDB tables: sorted keys and values in checked blocks, the form of a TensorFlow checkpoint's index.

Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from voxgraft.checkpoints.containers.protobuf import FieldBudget, Span, read_varint
from voxgraft.checkpoints.containers.tf_bundle.crc32c import masked_crc32c
from voxgraft.errors import CheckpointError

MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
# After each block: how it is compressed, and the masked CRC-32C of both.
_TRAILER = 5
_COMPRESSIONS = {1: "snappy", 2: "zstd"}
_MAX_KEY = 1024
_MAX_ENTRIES = 100_000
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def read_table(table: bytes) -> dict[bytes, Span]:
    """Key -> where its value lies, in the order of the keys.

    Raises CheckpointError where the table is cut off, damaged, compressed, or its keys are not sorted.
    """
    if len(table) < _FOOTER or table[-len(MAGIC) :] != MAGIC:
        raise CheckpointError("the end of the index is missing", remedy=_DAMAGED)
    budget = FieldBudget(_MAX_ENTRIES)
    footer = len(table) - _FOOTER
    metaindex, after = _read_handle(table, (footer, len(table) - len(MAGIC)), footer)
    index, _ = _read_handle(table, (after, len(table) - len(MAGIC)), footer)
    for _ in _read_block(table, metaindex, budget):
        pass  # filters and statistics, which TensorFlow does not write: only checked
    values: dict[bytes, Span] = {}
    previous: bytes | None = None
    for _, handle in _read_block(table, index, budget):
        block, _ = _read_handle(table, handle, footer)
        for key, value in _read_block(table, block, budget):
            if previous is not None and key <= previous:
                problem = "a key comes twice" if key == previous else "the keys are not sorted"
                raise CheckpointError(problem, field=printable(key), remedy=_DAMAGED)
            values[key] = value
            previous = key
    return values


def printable(key: bytes) -> str:
    """A key for messages."""
    return key[:200].decode("utf-8", errors="backslashreplace")


def _read_handle(table: bytes, span: Span, end: int) -> tuple[Span, int]:
    """The block that a handle points to, and the position after the handle; blocks lie before `end`."""
    offset, position = read_varint(table, *span)
    size, position = read_varint(table, position, span[1])
    if offset + size + _TRAILER > end:
        raise CheckpointError(
            "a block reaches beyond the end of the index",
            expected=f"at most {end} bytes",
            got=offset + size + _TRAILER,
            remedy=_DAMAGED,
        )
    return (offset, offset + size), position


def _read_block(table: bytes, block: Span, budget: FieldBudget) -> Iterator[tuple[bytes, Span]]:
    """Keys, each written as what differs from the one before, and the spans of their values."""
    position, end = block[0], _end_of_entries(table, block)
    key = b""
    while position < end:
        budget.spend()
        shared, position = read_varint(table, position, end)
        unshared, position = read_varint(table, position, end)
        size, position = read_varint(table, position, end)
        if shared > len(key) or shared + unshared > _MAX_KEY or unshared + size > end - position:
            raise CheckpointError("an entry of the index has impossible lengths", field=printable(key), remedy=_DAMAGED)
        key = key[:shared] + table[position : position + unshared]
        position += unshared
        yield key, (position, position + size)
        position += size


def _end_of_entries(table: bytes, block: Span) -> int:
    """Where a block's entries end and its restart points begin, once its checksum is right."""
    kind, crc = struct.unpack_from("<BI", table, block[1])
    if masked_crc32c(table, (block[0], block[1] + 1)) != crc:
        raise CheckpointError("a checksum of the index is wrong", remedy=_DAMAGED)
    if kind:
        raise CheckpointError(
            "the index is compressed",
            expected="no compression, as TensorFlow writes it",
            got=_COMPRESSIONS.get(kind, f"type {kind}"),
            remedy="Save the checkpoint again with TensorFlow's own Saver.",
        )
    restarts = int.from_bytes(table[block[1] - 4 : block[1]], "little") if block[1] - block[0] >= 4 else -1
    end = block[1] - 4 - 4 * restarts
    if restarts < 0 or end < block[0]:
        raise CheckpointError("a block of the index has impossible restart points", remedy=_DAMAGED)
    return end
