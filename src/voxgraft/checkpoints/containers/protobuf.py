"""Protocol-buffer wire format: a bounded reader of fields over a memory map, without a schema or a dependency.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator

from voxgraft.errors import CheckpointError

Buffer = bytes | mmap.mmap
Span = tuple[int, int]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_REMEDY = "The file is damaged or incomplete: copy or download it again."


class FieldBudget:
    """How many fields may still be read, so that a hostile file can't keep the reader busy for hours."""

    def __init__(self, fields: int) -> None:
        self.left = fields

    def spend(self) -> None:
        """Count one field."""
        self.left -= 1
        if self.left < 0:
            raise CheckpointError("more fields than any real model has", remedy="Don't use this file.")


def read_fields(buffer: Buffer, span: Span, budget: FieldBudget) -> Iterator[tuple[int, int, int | Span]]:
    """Yield (field number, wire type, value) of one message; the value of BYTES and of fixed fields is a span.

    Raises CheckpointError where a field reaches beyond the message.
    """
    position, end = span
    while position < end:
        budget.spend()
        key, position = read_varint(buffer, position, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise CheckpointError("a field has number 0", remedy=_REMEDY)
        if wire == VARINT:
            value, position = read_varint(buffer, position, end)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, position = read_varint(buffer, position, end)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise CheckpointError("a field is of an unknown wire type", remedy=_REMEDY, got=wire)
        if size > end - position:
            raise CheckpointError(
                "a field reaches beyond the end", remedy=_REMEDY, expected=f"{size} bytes", got=f"{end - position}"
            )
        yield number, wire, (position, position + size)
        position += size


def read_varint(buffer: Buffer, position: int, end: int) -> tuple[int, int]:
    """One base-128 number and the position after it."""
    value = shift = 0
    while True:
        if position >= end or shift > 63:
            raise CheckpointError("a number is cut off", remedy=_REMEDY)
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7


def read_text(buffer: Buffer, span: Span) -> str:
    """A string field."""
    try:
        return bytes(buffer[span[0] : span[1]]).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise CheckpointError("a name is not UTF-8", remedy=_REMEDY) from fault


def read_numbers(buffer: Buffer, value: int | Span, budget: FieldBudget) -> list[int]:
    """A repeated int64 field, packed or not; negative numbers are in two's complement."""
    if isinstance(value, int):
        return [as_signed(value)]
    position, end = value
    numbers = []
    while position < end:
        budget.spend()
        number, position = read_varint(buffer, position, end)
        numbers.append(as_signed(number))
    return numbers


def read_float(buffer: Buffer, span: Span) -> float:
    """A fixed 32-bit float."""
    value: float = struct.unpack("<f", buffer[span[0] : span[1]])[0]
    return value


def as_signed(value: int) -> int:
    """A 64-bit varint as int64."""
    return value - (1 << 64) if value >= 1 << 63 else value
