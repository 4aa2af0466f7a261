"""Storages and tensors of a torch file: where their bytes lie, checked before anything is allocated."""

from __future__ import annotations

import math
import mmap
import zlib
from dataclasses import dataclass

import numpy as np

from voxgraft.errors import CheckpointError

MAX_DIMS = 64
_MAX_REPEATED = 2**20
_DAMAGED = "The file is damaged or hostile: copy or download it again from its maker."
_ALTERED = "Copy or download it again; of a training run, take the checkpoint before it."

# torch's storage classes -> numpy; BFloat16 comes from ml_dtypes.
STORAGE_DTYPES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bf16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
    "UntypedStorage": "u1",
}

# Names of torch dtypes -> numpy, for tensors over untyped storages.
TORCH_DTYPES = {
    "float32": "f4",
    "float": "f4",
    "float64": "f8",
    "double": "f8",
    "float16": "f2",
    "half": "f2",
    "bfloat16": "bf16",
    "int64": "i8",
    "long": "i8",
    "int32": "i4",
    "int": "i4",
    "int16": "i2",
    "short": "i2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "?",
    "complex64": "c8",
    "complex128": "c16",
}


def numpy_dtype(code: str, big_endian: bool = False) -> np.dtype:
    """The numpy dtype of a code in the tables above."""
    if code == "bf16":
        from ml_dtypes import bfloat16

        dtype: np.dtype = np.dtype(bfloat16)
    else:
        dtype = np.dtype(code)
    return dtype.newbyteorder(">") if big_endian else dtype


@dataclass
class Bytes:
    """Where a storage's bytes lie: `offset` and `size` in the file; `inflated` is their number once decompressed.

    `crc` is their CRC-32; 0 where whoever wrote the file worked none out, as torch can be told. None: there is no place
    for one. It is compared at the first read.
    """

    buffer: mmap.mmap | memoryview | bytes
    offset: int
    size: int
    inflated: int | None = None
    crc: int | None = None

    @property
    def available(self) -> int:
        """Bytes that there are to read."""
        return self.size if self.inflated is None else self.inflated

    def read(self) -> mmap.mmap | bytes | memoryview:
        """The buffer that holds them from `start` on. Raises CheckpointError where they are not what was written."""
        data = self.buffer if self.inflated is None else self._inflate(self.inflated)
        if self.crc:
            if zlib.crc32(memoryview(data)[self.start : self.start + self.available]) != self.crc:
                raise CheckpointError("the file is damaged: the checksum of these values is wrong", remedy=_ALTERED)
            self.crc = None
        return data

    def content(self) -> bytes:
        """The bytes themselves, of something small."""
        return bytes(memoryview(self.read())[self.start : self.start + self.available])

    def _inflate(self, size: int) -> bytes:
        raw = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = raw.decompress(self.buffer[self.offset : self.offset + self.size], size)
        except zlib.error as fault:
            raise CheckpointError("a compressed tensor is damaged", remedy=_DAMAGED) from fault
        if len(data) != size:
            raise CheckpointError("a compressed tensor is cut off", remedy=_DAMAGED, expected=size, got=len(data))
        return data

    @property
    def start(self) -> int:
        """Where the bytes begin in what `read` returns."""
        return self.offset if self.inflated is None else 0


@dataclass
class Storage:
    """A row of numbers that tensors are views of. `place` is known late where a file puts its bytes at the end."""

    key: str
    code: str
    numel: int
    place: Bytes | None = None
    big_endian: bool = False

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return numpy_dtype(self.code).itemsize

    def put(self, place: Bytes) -> None:
        """Say where the bytes lie. Raises CheckpointError where they are too few."""
        if place.available < self.numel * self.itemsize:
            raise CheckpointError(
                "a tensor's data is cut off",
                field=f"storage {self.key}",
                expected=f"{self.numel * self.itemsize} bytes",
                got=place.available,
                remedy=_DAMAGED,
            )
        self.place = place


@dataclass
class TorchTensor:
    """A view of a storage, in elements. `load` reads it; until then nothing is."""

    storage: Storage
    code: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def load(self) -> np.ndarray:
        """The values, read-only; a view of the memory-mapped file where it is not compressed."""
        place = self.storage.place
        if place is None:
            raise CheckpointError("a tensor without data", field=f"storage {self.storage.key}", remedy=_DAMAGED)
        dtype = numpy_dtype(self.code, self.storage.big_endian)
        count = self.storage.numel * self.storage.itemsize // dtype.itemsize
        if not self.numel:
            return np.empty(self.shape, dtype)
        flat = np.frombuffer(place.read(), np.uint8, count * dtype.itemsize, place.start).view(dtype)
        array = np.lib.stride_tricks.as_strided(
            flat[self.offset :],
            self.shape,
            tuple(stride * dtype.itemsize for stride in self.strides),
            writeable=False,
        )
        return array.astype(dtype.newbyteorder("=")) if self.storage.big_endian else array


def make_tensor(
    storage: object, offset: object, shape: object, strides: object, code: str | None = None
) -> TorchTensor:
    """A tensor as torch's rebuild functions describe it. Raises CheckpointError where it leaves its storage."""
    if not isinstance(storage, Storage):
        raise CheckpointError("a tensor without a storage", remedy=_DAMAGED)
    sizes, steps = _sizes(shape), _sizes(strides)
    if type(offset) is not int or offset < 0 or len(sizes) != len(steps) or len(sizes) > MAX_DIMS:
        raise CheckpointError(
            "a tensor of impossible shape", field=f"storage {storage.key}", got=list(sizes)[:8], remedy=_DAMAGED
        )
    tensor = TorchTensor(storage, code or storage.code, offset, sizes, steps)
    available = storage.numel * storage.itemsize // numpy_dtype(tensor.code).itemsize
    last = offset + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
    if tensor.numel and (last >= available or (tensor.numel > available and tensor.numel > _MAX_REPEATED)):
        raise CheckpointError(
            "a tensor reaches beyond its data",
            field=f"storage {storage.key}",
            expected=f"at most {available} elements",
            got=list(sizes)[:8],
            remedy=_DAMAGED,
        )
    return tensor


def _sizes(value: object) -> tuple[int, ...]:
    if isinstance(value, tuple | list) and all(type(size) is int and 0 <= size < 2**48 for size in value):
        return tuple(value)
    raise CheckpointError("a tensor of impossible shape", remedy=_DAMAGED)
