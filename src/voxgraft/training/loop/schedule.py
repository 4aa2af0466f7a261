"""Schedule: which clips make the batch of a step, as a function of the step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voxgraft.training.loop.draws import generator

# Batches of like length are made within pools of this many, so that epochs still differ.
POOL = 16


@dataclass(frozen=True)
class Schedule:
    """Which clips make the batch of a step: every clip once an epoch, clips of like length together."""

    lengths: tuple[int, ...]
    batch: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one epoch, the last one filled up."""
        return -(-len(self.lengths) // self.batch)

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to, from 0."""
        return step // self.steps_per_epoch

    def clips(self, step: int) -> list[int]:
        """Indices of the clips of one step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        draw = generator(self.seed, "epoch", epoch)
        order = draw.permutation(len(self.lengths))
        missing = self.steps_per_epoch * self.batch - len(order)
        order = np.concatenate([order, np.resize(order, missing)])
        pools = [order[i : i + POOL * self.batch] for i in range(0, len(order), POOL * self.batch)]
        ordered = np.concatenate([sorted(pool, key=lambda i: self.lengths[i]) for pool in pools])
        batches = ordered.reshape(-1, self.batch)
        return [int(i) for i in batches[draw.permutation(len(batches))[place]]]
