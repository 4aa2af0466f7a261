"""unsound_tensors: weights that are no finite numbers, as diverged trainings and damaged files hold them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def unsound_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Name -> what is wrong with it, such as `3 NaN, 1 infinite`. Reads every value once, a tensor at a time."""
    found = {}
    for name in tensors:
        array = tensors[name]
        if not np.issubdtype(array.dtype, np.floating) or not array.size:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(array)
        # A sum costs a fraction of a look at every value, and only sound values have a finite one.
        if np.isfinite(total):
            continue
        counts = {"NaN": int(np.isnan(array).sum()), "infinite": int(np.isinf(array).sum())}
        if any(counts.values()):
            found[name] = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return found
