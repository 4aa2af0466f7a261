import torch

from voxgraft.training.loop.feed import feed


def test_a_resume_reads_on_where_the_run_was(started):
    ready = started()
    whole = list(feed(ready.examples, ready.cutting, ready.config, 0, 6))
    rest = list(feed(ready.examples, ready.cutting, ready.config, 4, 6))
    assert [len(whole), len(rest)] == [6, 2]
    for one, other in zip(whole[4:], rest, strict=True):
        assert torch.equal(one.clips, other.clips)
        assert torch.equal(one.noise, other.noise)
        assert torch.equal(one.audio, other.audio)


def test_loading_in_other_processes_gives_the_same_batches_in_the_same_order(started):
    alone, helped = started(), started(workers=2)
    batches = [list(feed(r.examples, r.cutting, r.config, 1, 6)) for r in (alone, helped)]
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one.clips, other.clips)
        assert torch.equal(one.prior_noise, other.prior_noise)
