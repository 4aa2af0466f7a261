"""Files of CTranslate2 (model.bin): a list of variables, read without running anything; values stay on disk.

Layout: https://github.com/OpenNMT/CTranslate2/blob/master/python/ctranslate2/specs/model_spec.py
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.containers.torch.tensor import numpy_dtype
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular

# The type of a variable, by its number.
_TYPES = ("f4", "i1", "i2", "i4", "f2", "bf16")
# Before these numbers, variables had no types.
_VERSIONS = range(4, 7)
_MAX_VARIABLES = 100_000
_MAX_DIMS = 8
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


@dataclass(frozen=True)
class Ctranslate2File:
    """`spec` names the kind of model. `tensors` are dequantised when they are read; `quantised` names those that are."""

    spec: str
    revision: int
    tensors: Mapping[str, LazyTensor]
    aliases: Mapping[str, str]
    quantised: frozenset[str]


def spec_of(head: bytes) -> str | None:
    """The kind of model that a file beginning so holds; None where it is none of CTranslate2's."""
    if len(head) < 8 or int.from_bytes(head[:4], "little") not in range(2, 64):
        return None
    size = int.from_bytes(head[4:6], "little")
    name = head[6 : 5 + size]
    well_formed = 1 < size < 200 and name.endswith(b"Spec") and name.isalnum() and head[5 + size : 6 + size] == b"\0"
    return name.decode("ascii") if well_formed else None


def open_ctranslate2(path: Path) -> Ctranslate2File:
    """Read and check the list of variables. Raises CheckpointError where the file is cut off, damaged or too old."""
    with open_regular(path) as file:
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with naming_file(path):
        return _read(_Cursor(buffer))


class _Cursor:
    """A place in the file that moves on with every read."""

    def __init__(self, buffer: mmap.mmap) -> None:
        self.buffer = buffer
        self.at = 0

    def skip(self, size: int) -> int:
        """Where the next `size` bytes begin."""
        start = self.at
        if size > len(self.buffer) - start:
            raise CheckpointError(
                "the file is cut off", expected=f"{size} bytes more", got=len(self.buffer) - start, remedy=_DAMAGED
            )
        self.at += size
        return start

    def number(self, size: int) -> int:
        return int.from_bytes(self.buffer[self.skip(size) : self.at], "little")

    def text(self) -> str:
        size = self.number(2)
        raw = self.buffer[self.skip(size) : self.at]
        if not raw.endswith(b"\0") or not raw[:-1].isascii():
            raise CheckpointError("the name of a variable is not text", got=repr(raw[:40]), remedy=_DAMAGED)
        return raw[:-1].decode("ascii")


@dataclass(frozen=True)
class _Variable:
    code: str
    shape: tuple[int, ...]
    start: int

    def load(self, buffer: mmap.mmap) -> np.ndarray:
        dtype, count = numpy_dtype(self.code), math.prod(self.shape)
        raw = np.frombuffer(buffer, np.uint8, count * dtype.itemsize, self.start)
        return raw.view(dtype).reshape(self.shape)


def _read(cursor: _Cursor) -> Ctranslate2File:
    version = cursor.number(4)
    if version not in _VERSIONS:
        raise CheckpointError(
            "a version of CTranslate2's format that is not known here",
            expected=f"{_VERSIONS[0]} to {_VERSIONS[-1]}",
            got=version,
            remedy="Convert the model again with today's CTranslate2.",
        )
    spec, revision, count = cursor.text(), cursor.number(4), cursor.number(4)
    if count > _MAX_VARIABLES:
        raise CheckpointError("more variables than any real model has", got=count, remedy=_DAMAGED)
    variables: dict[str, _Variable] = {}
    for _ in range(count):
        name = cursor.text()
        if name in variables:
            raise CheckpointError("a variable is there twice", field=name, remedy=_DAMAGED)
        variables[name] = _variable(cursor, name)
    named = cursor.number(4)
    if named > _MAX_VARIABLES:
        raise CheckpointError("more aliases than any real model has", got=named, remedy=_DAMAGED)
    aliases = {}
    for _ in range(named):
        alias = cursor.text()
        aliases[alias] = cursor.text()
    if cursor.at != len(cursor.buffer):
        raise CheckpointError(
            "there are bytes after the last variable", expected=cursor.at, got=len(cursor.buffer), remedy=_DAMAGED
        )
    scales = {name: f"{name}_scale" for name in variables if f"{name}_scale" in variables}
    tensors = {
        name: LazyTensor(variable.shape, _loader(cursor.buffer, name, variable, variables.get(scales.get(name, ""))))
        for name, variable in variables.items()
        if name not in scales.values()
    }
    return Ctranslate2File(spec, revision, tensors, aliases, frozenset(scales))


def _variable(cursor: _Cursor, name: str) -> _Variable:
    dims = cursor.number(1)
    if dims > _MAX_DIMS:
        raise CheckpointError("a tensor of impossible shape", field=name, got=f"{dims} axes", remedy=_DAMAGED)
    shape = tuple(cursor.number(4) for _ in range(dims))
    kind, size = cursor.number(1), cursor.number(4)
    if kind >= len(_TYPES):
        raise CheckpointError("a tensor of an unknown type", field=name, got=kind, remedy=_DAMAGED)
    wanted = math.prod(shape) * numpy_dtype(_TYPES[kind]).itemsize
    if wanted != size:
        raise CheckpointError(
            "a tensor's shape does not fit its data", field=name, expected=f"{wanted} bytes", got=size, remedy=_DAMAGED
        )
    return _Variable(_TYPES[kind], shape, cursor.skip(size))


def _loader(buffer: mmap.mmap, name: str, variable: _Variable, scale: _Variable | None) -> Callable[[], np.ndarray]:
    """Reads a variable; one in whole numbers is divided by its scale, one of all or one a row."""
    if scale is None:
        return lambda: variable.load(buffer)
    if variable.code not in ("i1", "i2") or scale.shape not in ((), (1,), variable.shape[:1]):
        raise CheckpointError("a scale that does not fit", field=name, got=list(scale.shape), remedy=_DAMAGED)

    def load() -> np.ndarray:
        factors = scale.load(buffer).astype(np.float32).reshape(-1, *[1] * (len(variable.shape) - 1))
        values: np.ndarray = variable.load(buffer).astype(np.float32) / factors
        return values

    return load
