"""The wire reader: what was written is read, and what is damaged is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.checkpoints.containers.protobuf import FieldBudget, as_signed, read_fields, read_numbers, read_varint
from voxgraft.errors import CheckpointError


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


@given(st.integers(0, 2**64 - 1))
def test_numbers(value):
    raw = varint(value)
    assert read_varint(raw, 0, len(raw)) == (value, len(raw))
    assert -(2**63) <= as_signed(value) < 2**63
    for cut in range(len(raw)):
        with pytest.raises(CheckpointError):
            read_varint(raw, 0, cut)


@given(st.lists(st.tuples(st.integers(1, 1000), st.binary(max_size=20) | st.integers(0, 2**40)), max_size=8))
@settings(deadline=None)
def test_fields(fields):
    raw = b""
    for number, value in fields:
        wire = 2 if isinstance(value, bytes) else 0
        raw += varint(number << 3 | wire) + (varint(len(value)) + value if wire else varint(value))
    read = [
        (number, value if isinstance(value, int) else raw[value[0] : value[1]])
        for number, _, value in read_fields(raw, (0, len(raw)), FieldBudget(100))
    ]
    assert read == fields


def test_packed_and_single_numbers():
    raw = varint(3) + varint(2**64 - 1)
    assert read_numbers(raw, (0, len(raw)), FieldBudget(2)) == [3, -1]
    assert read_numbers(raw, 7, FieldBudget(0)) == [7]


@pytest.mark.parametrize("raw", [b"\x00", b"\x07\x01", b"\x0a\x05ab", b"\x0d\x00\x00", b"\xff" * 11, b"\x08"])
def test_damage(raw):
    with pytest.raises(CheckpointError):
        list(read_fields(raw, (0, len(raw)), FieldBudget(100)))


def test_the_budget_ends():
    with pytest.raises(CheckpointError, match="more fields"):
        list(read_fields(b"\x08\x01" * 50, (0, 100), FieldBudget(49)))
    with pytest.raises(CheckpointError, match="more fields"):
        read_numbers(b"\x01" * 50, (0, 50), FieldBudget(49))
