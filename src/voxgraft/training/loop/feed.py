"""The stream of batches from a step on; each process takes its share of each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from voxgraft.config.run import RunConfig
from voxgraft.training.tasks.vits.batches import Batch, Cutting, Schedule, make_batch
from voxgraft.training.tasks.vits.examples import Example


class Feed(IterableDataset[Any]):
    """Batches of steps `begin` to `end`: functions of the step, so a resume reads on where it was.

    `make` gets the clips of a step, its number and the places among them that this process takes.
    """

    def __init__(
        self, make: Callable[[Sequence[int], int, range], Any], schedule: Schedule, begin: int, end: int
    ) -> None:
        self._make = make
        self._schedule = schedule
        self._steps = range(begin, end)

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        rank, world = _place()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in self._steps[first::stride]:
            clips = self._schedule.clips(step)
            share = range(len(clips) * rank // world, len(clips) * (rank + 1) // world)
            yield self._make(clips, step, share)


def feed(examples: Sequence[Example], cutting: Cutting, config: RunConfig, begin: int, end: int) -> DataLoader[Batch]:
    """The batches of a voice."""

    def make(clips: Sequence[int], step: int, share: range) -> Batch:
        mine = [clips[place] for place in share]
        return make_batch(examples, mine, cutting, config.seed, step, first=share.start)

    return loader_of(Feed(make, schedule_of(examples, config), begin, end), config.training.workers)


def loader_of(stream: Feed, workers: int) -> DataLoader[Any]:
    """A loader that hands batches on as they are."""
    return DataLoader(stream, batch_size=None, num_workers=workers, persistent_workers=workers > 0)


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """The run's schedule."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(e.frames for e in examples), config.training.batch, config.seed)


def _place() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
