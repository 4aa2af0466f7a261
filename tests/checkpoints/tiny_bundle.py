"""Handmade TensorFlow 1 saves: right ones, and ones with anything in them that no Saver writes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from google_crc32c import value as crc32c

MAGIC = bytes.fromhex("57fb808b247547db")
HEADER = b"\x08\x01\x1a\x02\x08\x01"


def varint(value: int) -> bytes:
    """A base-128 number."""
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def masked(data: bytes) -> int:
    """LevelDB's masked checksum."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def entry(
    dtype: int = 1, shape: Sequence[int] = (), shard: int = 0, offset: int = 0, size: int = 4, crc: int = 0,
    extra: bytes = b"",
) -> bytes:  # fmt: skip
    """BundleEntryProto."""
    dims = b"".join(b"\x12" + varint(len(dim)) + dim for dim in (b"\x08" + varint(n & (2**64 - 1)) for n in shape))
    numbers = ((1, dtype), (3, shard), (4, offset), (5, size))
    parts = [varint(number << 3) + varint(found & (2**64 - 1)) for number, found in numbers if found]
    return b"".join(parts) + b"\x12" + varint(len(dims)) + dims + b"\x35" + struct.pack("<I", crc) + extra


def block(entries: Sequence[tuple[bytes, bytes]], restarts: Sequence[int] = (0,)) -> bytes:
    """A table's block, keys written by what differs."""
    out, before = b"", b""
    for key, found in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(len(before), len(key))
        )
        out += varint(shared) + varint(len(key) - shared) + varint(len(found)) + key[shared:] + found
        before = key
    return out + b"".join(struct.pack("<I", place) for place in restarts) + struct.pack("<I", len(restarts))


def sealed(content: bytes, kind: int = 0) -> bytes:
    """A block with its trailer."""
    return content + bytes([kind]) + struct.pack("<I", masked(content + bytes([kind])))


def table(blocks: Sequence[bytes], kind: int = 0) -> bytes:
    """A table of these blocks."""
    out, handles = b"", []
    for number, content in enumerate(blocks):
        handles.append((b"%c" % (65 + number), varint(len(out)) + varint(len(content))))
        out += sealed(content, kind)
    metaindex = varint(len(out)) + varint(8)
    out += sealed(block([]))
    index = block(handles)
    footer = metaindex + varint(len(out)) + varint(len(index))
    return out + sealed(index) + footer.ljust(40, b"\0") + MAGIC


def write_bundle(folder: Path, arrays: dict[str, np.ndarray], name: str = "train-1") -> Path:
    """A right save of little-endian arrays; returns its index."""
    codes = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19, "bool": 10, "bfloat16": 14}
    data, entries = b"", [(b"", HEADER)]
    for key in sorted(arrays):
        raw = arrays[key].tobytes()
        code = codes[arrays[key].dtype.name]
        entries.append((key.encode(), entry(code, arrays[key].shape, 0, len(data), len(raw), masked(raw))))
        data += raw
    (folder / f"{name}.data-00000-of-00001").write_bytes(data)
    return write_index(folder, entries, name)


def write_index(folder: Path, entries: Sequence[tuple[bytes, bytes]], name: str = "train-1") -> Path:
    """An index of any entries."""
    index = folder / f"{name}.index"
    index.write_bytes(table([block(entries)]))
    return index
