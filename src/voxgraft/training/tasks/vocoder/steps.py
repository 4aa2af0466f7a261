"""Batches by their step, for whoever counts epochs by himself, as Lightning does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch.utils.data import DataLoader, Dataset, Sampler

from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.vocoder.batches import Batch, Cutting, make_batch
from voxgraft.training.tasks.vocoder.examples import Example


class StepsOfEpoch(Sampler[int]):
    """The numbers of an epoch's steps. `epoch` says which it is: of a sampler Lightning sets it only after it has begun to
    read, so that a resumed run would see its first epoch again."""

    def __init__(self, schedule: Schedule, epoch: Callable[[], int]) -> None:
        self.schedule = schedule
        self._epoch = epoch

    def __len__(self) -> int:
        return self.schedule.steps_per_epoch

    def __iter__(self) -> Iterator[int]:
        begin = self._epoch() * len(self)
        return iter(range(begin, begin + len(self)))


class BatchOfStep(Dataset[Batch]):
    """The batch of a step by its number."""

    def __init__(self, schedule: Schedule, examples: Sequence[Example], cutting: Cutting, seed: int) -> None:
        self._schedule, self._examples, self._cutting, self._seed = schedule, examples, cutting, seed

    def __getitem__(self, step: int) -> Batch:
        return make_batch(self._examples, self._schedule.clips(step), self._cutting, self._seed, step)


def steps_loader(
    steps: StepsOfEpoch, examples: Sequence[Example], cutting: Cutting, seed: int, workers: int
) -> DataLoader[Batch]:
    """A loader that hands an epoch's batches on as they are."""
    batches = BatchOfStep(steps.schedule, examples, cutting, seed)
    return DataLoader(batches, batch_size=None, sampler=steps, num_workers=workers)
