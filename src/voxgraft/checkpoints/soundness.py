"""unsound_tensors: weights that are no finite numbers, as diverged trainings and damaged files hold them."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from voxgraft.checkpoints.containers.tensor_store import TensorStore

_BLOCK = 2**21
# Values below which threads cost more than they save.
_WORTH_THREADS = 2**22


def unsound_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Name -> what is wrong with it, such as `3 NaN, 1 infinite`. Reads every value once, a block at a time, on every core:
    checksums and sums let go of the interpreter lock."""
    with ThreadPoolExecutor(os.cpu_count() if _size(tensors) > _WORTH_THREADS else 1) as pool:
        counted = zip(tensors, pool.map(lambda name: _unsound_values(tensors, name), tensors), strict=True)
        return {
            name: ", ".join(f"{count} {kind}" for kind, count in counts.items()) for name, counts in counted if counts
        }


def _size(tensors: Mapping[str, np.ndarray]) -> int:
    shapes = tensors.shapes if isinstance(tensors, TensorStore) else {name: a.shape for name, a in tensors.items()}
    return sum(map(math.prod, shapes.values()))


def _unsound_values(tensors: Mapping[str, np.ndarray], name: str) -> Counter[str]:
    array = tensors.stored(name) if isinstance(tensors, TensorStore) else tensors[name]
    counts: Counter[str] = Counter()
    for block in _blocks(array):
        counts += _unsound(block)
    return counts


def _blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """The values in float32, as many at a time as a processor's cache takes; none of whole numbers."""
    if not np.issubdtype(array.dtype, np.floating) and array.dtype.kind != "V":
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        yield flat[start : start + _BLOCK].astype(np.float32, copy=False)


def _unsound(block: np.ndarray) -> Counter[str]:
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum(block)
    # A sum costs a fraction of a look at every value, and only sound values have a finite one.
    if np.isfinite(total):
        return Counter()
    return +Counter({"NaN": int(np.isnan(block).sum()), "infinite": int(np.isinf(block).sum())})
