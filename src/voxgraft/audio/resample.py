"""Change the sample rate with soxr."""

from __future__ import annotations

import numpy as np


def resample(x: np.ndarray, source_rate: int, target_rate: int) -> np.ndarray:
    """Float [T] at `source_rate` as float32 [T * target / source] at `target_rate` (soxr, very high quality)."""
    if source_rate == target_rate:
        return np.asarray(x, np.float32)
    import soxr

    return soxr.resample(np.asarray(x, np.float32), source_rate, target_rate, quality="VHQ")
