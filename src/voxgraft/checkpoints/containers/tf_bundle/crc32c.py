"""CRC-32C (Castagnoli), masked as LevelDB and TensorFlow store it."""

from __future__ import annotations

from voxgraft.checkpoints.containers.protobuf import Buffer, Span

# The binding takes nothing but bytes: copies of this size stay in the processor's cache.
_PIECE = 2**20
_MASK_DELTA = 0xA282EAD8


def masked_crc32c(buffer: Buffer, span: Span) -> int:
    """The masked CRC-32C of a part of a buffer (LevelDB, doc/table_format: rotated right by 15 bits, plus a constant)."""
    from google_crc32c import extend

    crc = 0
    for start in range(span[0], span[1], _PIECE):
        crc = extend(crc, buffer[start : min(start + _PIECE, span[1])])
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
