"""The prior of an aligner: symbols come in order, at about an even pace (Shih et al. 2021, "RAD-TTS", section 2.2).

A few hundred kilobytes each, and many clips have the same numbers of symbols and frames: they are kept by these.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=256)
def beta_binomial_prior(symbols: int, frames: int) -> np.ndarray:
    """How likely each symbol is at each frame, [frames, symbols] float32: at frame t of T beta-binomial with t and T + 1 - t.

    With whole parameters all its gamma functions are factorials, whose logarithms are summed up once. Read only.
    """
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, symbols + frames + 1)))])
    k = np.arange(symbols)
    a = np.arange(1, frames + 1)[:, None]
    b = frames + 1 - a
    ways = factorial[symbols] - factorial[k] - factorial[symbols - k]
    drawn = factorial[k + a - 1] + factorial[symbols - k + b - 1] - factorial[symbols + frames]
    scale = factorial[frames] - factorial[a - 1] - factorial[b - 1]
    prior = np.exp(ways + drawn + scale).astype(np.float32)
    prior.flags.writeable = False
    return prior
