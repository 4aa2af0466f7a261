"""What changes single points of samples, of a power spectrogram or of features alike: masks in time, dropout, noise.

Each takes float32 [N] or [N, C], seconds of a step along N, a function that draws its numbers by name, and a generator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Pick = Callable[[str], float]
Pointwise = Callable[[np.ndarray, float, Pick, np.random.Generator], np.ndarray]


def time_mask(x: np.ndarray, step: float, pick: Pick, random: np.random.Generator) -> np.ndarray:
    """`n` stretches of `size` ms at random places become 0; one step at least, and never all."""
    x = x.copy()
    for _ in range(int(pick("n"))):
        size = max(1, min(len(x) - 1, round(pick("size") / 1000 / step)))
        begin = int(random.integers(len(x) - size + 1))
        x[begin : begin + size] = 0
    return x


def dropout(x: np.ndarray, _: float, pick: Pick, random: np.random.Generator) -> np.ndarray:
    """A share `rate` of the points becomes 0. (Coqui STT's own leaves that share and zeroes the rest.)"""
    return np.where(random.random(x.shape, np.float32) < pick("rate"), np.float32(0), x)


def add(x: np.ndarray, _: float, pick: Pick, random: np.random.Generator) -> np.ndarray:
    """Normal noise of deviation `stddev` is added to each point."""
    return x + np.float32(pick("stddev")) * random.standard_normal(x.shape, np.float32)


def multiply(x: np.ndarray, _: float, pick: Pick, random: np.random.Generator) -> np.ndarray:
    """Each point is multiplied with a normal draw around 1 of deviation `stddev`."""
    return x * (1 + np.float32(pick("stddev")) * random.standard_normal(x.shape, np.float32))


POINTWISE: dict[str, Pointwise] = {"time_mask": time_mask, "dropout": dropout, "add": add, "multiply": multiply}
