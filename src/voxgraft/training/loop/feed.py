"""The stream of batches from a step on; each process takes its share of each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from voxgraft.training.loop.processes import Processes


class Clips(Protocol):
    """Which clips make the batch of a step (training/loop/schedule.py)."""

    def clips(self, step: int) -> list[int]:
        """Indices of the clips of one step."""


class Feed(IterableDataset[Any]):
    """Batches of some steps: functions of the step, so a resume reads on where it was.

    `make` gets the clips of a step, its number and the places among them that this process takes.
    """

    def __init__(
        self,
        make: Callable[[Sequence[int], int, range], Any],
        schedule: Clips,
        steps: range,
        processes: Processes,
    ) -> None:
        self._make = make
        self._schedule = schedule
        self._steps = steps
        self._rank, self._count = processes.rank, processes.count

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in self._steps[first::stride]:
            clips = self._schedule.clips(step)
            share = range(len(clips) * self._rank // self._count, len(clips) * (self._rank + 1) // self._count)
            yield self._make(clips, step, share)


def loader_of(stream: Feed, workers: int, device: str) -> DataLoader[Any]:
    """A loader that hands batches on as they are; for `cuda` in pinned memory."""
    return DataLoader(
        stream,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device == "cuda",
    )
