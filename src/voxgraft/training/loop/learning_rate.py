"""Learning rates as a function of the step."""

from __future__ import annotations

import math
from typing import Literal

# Piper's decay an epoch, spread over as many steps as a small corpus has.
EXPONENTIAL = 0.999875
FLOOR = 0.03


def learning_rate_factor(step: int, steps: int, warmup: int, decay: Literal["cosine", "exponential", "none"]) -> float:
    """What each part's rate is multiplied by: rises linearly over `warmup` steps, then falls to FLOOR by the last (cosine)."""
    rise = min(1.0, (step + 1) / (warmup + 1))
    if decay == "cosine":
        return rise * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))
    if decay == "exponential":
        return rise * EXPONENTIAL**step
    return rise
