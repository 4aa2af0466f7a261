"""Our own checkpoints: safetensors with canonical names and the metadata in the header, written whole or not at all."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.voxgraft.exported import header_of
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.files import write_atomically

_DTYPES = {
    "float32": "F32",
    "float64": "F64",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def write_safetensors(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write weights and metadata, a tensor at a time; training state is left out.

    Layout: https://github.com/huggingface/safetensors#format
    """
    write_tensors(Path(path), checkpoint.tensors, metadata_of(checkpoint))


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write tensors under the names they have, with `metadata` as JSON under `voxgraft` in the header."""
    header: dict[str, Any] = {"__metadata__": header_of(dict(metadata))}
    position = 0
    for name in sorted(tensors):
        array = tensors[name]
        header[name] = {
            "dtype": _DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [position, position + array.nbytes],
        }
        position += array.nbytes
    raw = json.dumps(header, ensure_ascii=False).encode("utf-8")
    raw += b" " * (-len(raw) % 8)
    write_atomically(path, _pieces(raw, tensors))


def _pieces(header: bytes, tensors: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    yield struct.pack("<Q", len(header))
    yield header
    for name in sorted(tensors):
        yield np.ascontiguousarray(tensors[name]).tobytes()
