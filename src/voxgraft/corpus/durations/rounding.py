"""Times as whole frames: every boundary falls on the nearest frame, so that the sum is exact and nothing drifts."""

from __future__ import annotations

import numpy as np


def whole_frames(ends: np.ndarray, frames: int) -> np.ndarray:
    """Rising ends [N] in frames, the last at `frames` -> how many whole frames each lasts, int64 [N], together `frames`.

    No boundary moves by more than half a frame. (Rounding the lengths themselves, even by largest remainder, would let
    their errors add up along the utterance.)
    """
    if not len(ends):
        return np.zeros(0, np.int64)
    bounds = np.floor(np.clip(ends, 0, frames) + 0.5).astype(np.int64)
    bounds[-1] = frames
    return np.diff(np.maximum.accumulate(bounds), prepend=0)
