"""The stream of batches from a step on; each process takes its share of each batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from voxgraft.config.run import RunConfig
from voxgraft.training.batches import Batch, Cutting, Schedule, make_batch
from voxgraft.training.examples import Example


class Feed(IterableDataset[Batch]):
    """Batches of steps `begin` to `end`: functions of the seed and the step, so a resume reads on where it was."""

    def __init__(
        self, examples: Sequence[Example], cutting: Cutting, schedule: Schedule, begin: int, end: int, seed: int
    ) -> None:
        self._examples = examples
        self._cutting = cutting
        self._schedule = schedule
        self._steps = range(begin, end)
        self._seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        rank, world = _place()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in self._steps[first::stride]:
            clips = self._schedule.clips(step)
            share = range(len(clips) * rank // world, len(clips) * (rank + 1) // world)
            mine = [clips[i] for i in share]
            yield make_batch(self._examples, mine, self._cutting, self._seed, step, first=share.start)


def feed(examples: Sequence[Example], cutting: Cutting, config: RunConfig, begin: int, end: int) -> DataLoader[Batch]:
    """A loader that hands batches on as they are."""
    stream = Feed(examples, cutting, schedule_of(examples, config), begin, end, config.seed)
    workers = config.training.workers
    return DataLoader(stream, batch_size=None, num_workers=workers, persistent_workers=workers > 0)


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """The run's schedule."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(e.frames for e in examples), config.training.batch, config.seed)


def _place() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
