"""Batches of an acoustic model by their step, for whoever counts epochs by himself, as Lightning does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch.utils.data import DataLoader, Dataset, Sampler

from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.acoustic.batches import Batch, make_batch
from voxgraft.training.tasks.acoustic.examples import Example


class StepsOfEpoch(Sampler[int]):
    """The numbers of an epoch's steps; `epoch` says which it is.

    A sampler is told its epoch by Lightning only after it has begun to read: a resumed run would see its first again.
    """

    def __init__(self, schedule: Schedule, epoch: Callable[[], int]) -> None:
        self._schedule, self._epoch = schedule, epoch

    def __len__(self) -> int:
        return self._schedule.steps_per_epoch

    def __iter__(self) -> Iterator[int]:
        begin = self._epoch() * len(self)
        return iter(range(begin, begin + len(self)))


class BatchOfStep(Dataset[Batch]):
    """The batch of a step by its number."""

    def __init__(self, schedule: Schedule, examples: Sequence[Example], aligns: bool) -> None:
        self._schedule, self._examples, self._aligns = schedule, examples, aligns

    def __getitem__(self, step: int) -> Batch:
        return make_batch(self._examples, self._schedule.clips(step), aligns=self._aligns)


def acoustic_loader(
    examples: Sequence[Example], batch: int, seed: int, epoch: Callable[[], int], *, aligns: bool, workers: int
) -> DataLoader[Batch]:
    """A loader that hands an epoch's batches on as they are."""
    schedule = Schedule(tuple(example.frames for example in examples), min(batch, len(examples)), seed)
    steps = StepsOfEpoch(schedule, epoch)
    return DataLoader(BatchOfStep(schedule, examples, aligns), batch_size=None, sampler=steps, num_workers=workers)
