"""Audio at the rate and in the type that a metric wants."""

from __future__ import annotations

import numpy as np


def at_rate(audio: np.ndarray, sample_rate: int, wanted: int) -> np.ndarray:
    """Float32 mono audio [T] at another sample rate."""
    import soxr

    audio = np.ascontiguousarray(audio, dtype=np.float32)
    return audio if sample_rate == wanted else soxr.resample(audio, sample_rate, wanted)
