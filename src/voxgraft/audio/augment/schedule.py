"""Schedule: a value that may move over the training and be drawn around where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Schedule:
    """From `start` to `end` over the training, each draw at most `radius` away, never outside `low` to `high`."""

    start: float
    end: float
    radius: float = 0.0
    whole: bool = False
    low: float = -np.inf
    high: float = np.inf

    def pick(self, progress: float, random: np.random.Generator) -> float:
        """The value at `progress`, the share of the training that is done (0 to 1); whole numbers where it counts."""
        middle = self.start + min(max(progress, 0.0), 1.0) * (self.end - self.start)
        value = min(max(middle + self.radius * random.uniform(-1, 1), self.low), self.high)
        return float(round(value)) if self.whole else value
