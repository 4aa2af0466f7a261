import torch
from torch.utils.data._utils.pin_memory import pin_memory

from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.schedule import Schedule


class One:
    """A process of several."""

    def __init__(self, rank, count):
        self.rank, self.count = rank, count


def drawn(rank, count, workers=0):
    schedule = Schedule((5, 4, 3, 2, 1), 3, 0)
    stream = Feed(made, schedule, range(2, 5), One(rank, count))
    return schedule, list(loader_of(stream, workers, "cpu"))


def made(clips, step, share):
    return step, [clips[place] for place in share]


def test_each_process_takes_its_share_of_each_step():
    schedule, first = drawn(0, 2)
    _, second = drawn(1, 2)
    for (step, mine), (other_step, others) in zip(first, second, strict=True):
        assert step == other_step
        assert mine + others == schedule.clips(step)
        assert (len(mine), len(others)) == (1, 2)
    assert [step for step, _ in first] == [2, 3, 4]


def test_workers_hand_on_the_same_batches_in_the_same_order():
    assert drawn(0, 1, workers=2)[1] == drawn(0, 1)[1]


def test_batches_for_a_gpu_lie_in_pinned_memory(started, monkeypatch):
    """Torch itself does nothing where there is no GPU: a fake stands for what it does."""
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor.shape) or tensor)
    loader = loader_of(Feed(made, Schedule((1,), 1, 0), range(1), One(0, 1)), 0, "cuda")
    assert loader.pin_memory
    assert not loader_of(Feed(made, Schedule((1,), 1, 0), range(1), One(0, 1)), 0, "cpu").pin_memory
    batch = next(iter(started().batches(0, 1, One(0, 1))))
    kept = pin_memory(batch)
    assert type(kept) is type(batch)
    assert len(pinned) == 11, "every tensor of it"
    assert kept.clips == batch.clips
