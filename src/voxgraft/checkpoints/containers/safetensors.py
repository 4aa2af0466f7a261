"""Files of safetensors: the header checked whole before anything is allocated, values read when asked for.

Layout: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.containers.wrappers import unwrapped_names
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular
from voxgraft.json_file import json_fault

_MAX_HEADER = 100 * 2**20
_MAX_DIMS = 64
_MAX_SIZE = 2**48
_METADATA = "__metadata__"
_DAMAGED = "The file is damaged or incomplete: copy, download or export it again."

# Names of dtypes in the header -> numpy's; those that numpy lacks come from ml_dtypes.
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip


@dataclass(frozen=True)
class SafetensorsFile:
    """Tensors by the names they have in the file, and the header's free text."""

    tensors: Mapping[str, LazyTensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def is_safetensors(head: bytes) -> bool:
    """Whether a file that begins so is safetensors: the length of a JSON header, then the header."""
    return 2 <= int.from_bytes(head[:8], "little") <= _MAX_HEADER and head[8:9] == b"{"


def open_safetensors(path: Path) -> SafetensorsFile:
    """Read and check the header. Raises CheckpointError where the file is cut off, damaged or hostile."""
    with naming_file(path):
        with open_regular(path) as file:
            size = file.seek(0, 2)
            file.seek(0)
            start = int.from_bytes(file.read(8), "little") + 8
            if not 10 <= start <= min(size, _MAX_HEADER + 8):
                raise _damaged("the header does not fit into the file", expected=f"at most {size} bytes", got=start)
            header = _header(file.read(start - 8))
            buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        metadata = header.pop(_METADATA, {})
        if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
            raise _damaged("the header's free text is none", field=_METADATA)
        views = {name: _view(name, entry, size - start) for name, entry in header.items()}
        _check_gapless(views, size - start)
    plain = unwrapped_names(views)
    tensors = {plain[name]: LazyTensor(view.shape, view.loader(buffer, start)) for name, view in views.items()}
    return SafetensorsFile(tensors, metadata)


@dataclass(frozen=True)
class _View:
    """Where a tensor's bytes lie after the header."""

    code: str
    shape: tuple[int, ...]
    begin: int
    end: int

    def loader(self, buffer: mmap.mmap, start: int) -> Callable[[], np.ndarray]:
        def load() -> np.ndarray:
            dtype, count = _dtype(self.code), math.prod(self.shape)
            if not count:
                return np.empty(self.shape, dtype)
            raw = np.frombuffer(buffer, np.uint8, self.end - self.begin, start + self.begin)
            values = raw.view(dtype).reshape(self.shape)
            return values if dtype.isbuiltin == 1 else values.astype(np.float32)

        return load


def _header(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except UnicodeDecodeError as fault:
        raise _damaged("the header is not UTF-8") from fault
    except (ValueError, RecursionError) as fault:
        raise _damaged(f"the header is not JSON: {json_fault(fault)}") from fault
    if not isinstance(header, dict):
        raise _damaged("the header is no list of tensors")
    return header


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for name, entry in pairs:
        if name in entries:
            raise _damaged("a tensor is there twice", field=name[:120])
        entries[name] = entry
    return entries


def _view(name: str, entry: Any, available: int) -> _View:
    stated = entry if isinstance(entry, dict) else {}
    code, shape, offsets = stated.get("dtype"), stated.get("shape"), stated.get("data_offsets")
    if not isinstance(code, str) or code not in _DTYPES:
        raise _damaged("a tensor of an unknown type", field=name, expected=", ".join(_DTYPES), got=str(code)[:40])
    if not _are_sizes(shape) or len(shape) > _MAX_DIMS:
        raise _damaged("a tensor of impossible shape", field=name, got=str(shape)[:60])
    if not _are_sizes(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= available:
        raise _damaged(
            "a tensor's data is cut off", field=name, expected=f"at most {available} bytes", got=str(offsets)[:60]
        )
    begin, end = offsets
    wanted = math.prod(shape) * _dtype(code).itemsize
    if wanted != end - begin:
        raise _damaged(
            "a tensor's shape does not fit its data", field=name, expected=f"{wanted} bytes", got=end - begin
        )
    return _View(code, tuple(shape), begin, end)


def _are_sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < _MAX_SIZE for size in value)


def _check_gapless(views: Mapping[str, _View], available: int) -> None:
    """The format allows neither overlaps nor gaps: bytes that belong to two tensors or to none are a sign of tampering."""
    at = 0
    for name, view in sorted(views.items(), key=lambda item: (item[1].begin, item[1].end)):
        if view.begin != at:
            problem = "two tensors overlap" if view.begin < at else "there are bytes between two tensors"
            raise _damaged(problem, field=name, expected=f"begins at {at}", got=view.begin)
        at = view.end
    if at != available:
        raise _damaged("there are bytes after the last tensor", expected=at, got=available)


def _dtype(code: str) -> np.dtype:
    spelling = _DTYPES[code]
    if "float" not in spelling:
        return np.dtype(spelling)
    import ml_dtypes

    dtype: np.dtype = np.dtype(getattr(ml_dtypes, spelling))
    return dtype


def _damaged(problem: str, **facts: Any) -> CheckpointError:
    return CheckpointError(f"damaged safetensors: {problem}", remedy=_DAMAGED, **facts)
