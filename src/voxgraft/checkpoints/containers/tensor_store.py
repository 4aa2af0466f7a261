"""TensorStore: names and shapes at hand, values only when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.errors import naming_file


@dataclass(frozen=True)
class LazyTensor:
    """A tensor's shape and how to get its values."""

    shape: tuple[int, ...]
    load: Callable[[], np.ndarray]


class TensorStore(Mapping[str, np.ndarray]):
    """name -> array, read from disk at each access. Floating tensors come as float32, whatever the file stores.

    Arrays may be read-only views of a memory map: copy before writing.
    """

    def __init__(self, tensors: Mapping[str, LazyTensor], path: Path) -> None:
        self.path = path
        self._tensors = dict(tensors)

    def stored(self, name: str) -> np.ndarray:
        """A tensor in the numbers that the file holds it in."""
        with naming_file(self.path, field=name):
            return self._tensors[name].load()

    def __getitem__(self, name: str) -> np.ndarray:
        array = self.stored(name)
        floating = np.issubdtype(array.dtype, np.floating) or array.dtype.kind == "V"
        if floating and array.dtype != np.float32:
            array = array.astype(np.float32)
        return array if array.flags.aligned else array.copy()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """name -> shape, without touching the values."""
        return {name: tensor.shape for name, tensor in self._tensors.items()}

    @property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(math.prod(tensor.shape) for tensor in self._tensors.values())
