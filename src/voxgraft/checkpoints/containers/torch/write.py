"""Write one array as torch.save writes a tensor, without torch; `torch.load(weights_only=True)` reads it.

The container's layout: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voxgraft.files import write_atomically

_STORAGES: Mapping[str, str] = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
}
_ALWAYS = (1980, 1, 1, 0, 0, 0)


def write_tensor(path: Path, array: np.ndarray) -> None:
    """Write float32, float64, int32 or int64 [...] as a .pt file, whole or not at all. OSError names `path`."""
    values = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        parts = {"data.pkl": _pickle(values), "byteorder": b"little", "data/0": values.tobytes(), "version": b"3\n"}
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(f"{path.stem}/{name}", _ALWAYS), content)
    write_atomically(path, buffer.getvalue())


def _pickle(values: np.ndarray) -> bytes:
    """`torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())` as a pickle of protocol 2."""
    storage = _STORAGES[values.dtype.name]
    strides = tuple(step // values.itemsize for step in values.strides)
    persistent = (
        b"(" + _text("storage") + _global("torch", storage) + _text("0") + _text("cpu") + _number(values.size) + b"tQ"
    )
    arguments = b"(" + persistent + _number(0) + _row(values.shape) + _row(strides) + b"\x89"
    ordered = _global("collections", "OrderedDict") + b")R"
    return b"\x80\x02" + _global("torch._utils", "_rebuild_tensor_v2") + arguments + ordered + b"tR."


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def _row(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"
