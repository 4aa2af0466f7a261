"""Mixture: a batch of the run's own clips and, against over-fitting, some of the source that its base comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from voxgraft.training.loop.schedule import Schedule


@dataclass(frozen=True)
class Mixture:
    """Each batch takes its share from either schedule; epochs are those of the own clips."""

    own: Schedule
    source: Schedule | None
    first_of_source: int

    @classmethod
    def of(cls, lengths: tuple[int, ...], own: int, batch: int, share: float, seed: int) -> Self:
        """Of clips of these lengths, the first `own` of which are the run's; at least one clip of a batch is of either kind."""
        if own == len(lengths):
            return cls(Schedule(lengths, batch, seed), None, own)
        mixed = min(max(1, round(batch * share)), max(1, batch - 1))
        return cls(Schedule(lengths[:own], max(1, batch - mixed), seed), Schedule(lengths[own:], mixed, seed + 1), own)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in which every own clip comes once."""
        return self.own.steps_per_epoch

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to, from 0."""
        return self.own.epoch(step)

    def clips(self, step: int) -> list[int]:
        """Indices of the clips of one step."""
        mixed = [] if self.source is None else [self.first_of_source + clip for clip in self.source.clips(step)]
        return [*self.own.clips(step), *mixed]
