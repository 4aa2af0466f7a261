from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.training.loop.draws import generator
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.vits.batches import Cutting, make_batch


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 5))
def test_every_clip_is_drawn_once_an_epoch_and_the_last_batch_is_filled_up(clips, batch, seed):
    batch = min(batch, clips)
    schedule = Schedule(tuple(100 + 7 * i % 50 for i in range(clips)), batch, seed)
    steps = schedule.steps_per_epoch
    assert steps == -(-clips // batch)
    for epoch in range(2):
        drawn = [schedule.clips(step) for step in range(epoch * steps, (epoch + 1) * steps)]
        assert {len(one) for one in drawn} == {batch}
        counts = Counter(clip for one in drawn for clip in one)
        assert counts.keys() == set(range(clips)), "none is lost"
        assert sum(counts.values()) - clips == steps * batch - clips < batch
        assert max(counts.values()) <= 2


def test_the_order_is_a_function_of_seed_and_epoch():
    schedule = Schedule(tuple(range(50, 90)), 4, seed=3)
    first, second = ([schedule.clips(step) for step in range(e * 10, (e + 1) * 10)] for e in (0, 1))
    assert first == [Schedule(tuple(range(50, 90)), 4, seed=3).clips(step) for step in range(10)]
    assert first != second
    assert first != [Schedule(tuple(range(50, 90)), 4, seed=4).clips(step) for step in range(10)]
    assert (schedule.epoch(9), schedule.epoch(10)) == (0, 1)


def test_clips_of_like_length_go_together():
    lengths = tuple(np.random.default_rng(0).integers(50, 900, 64).tolist())
    schedule = Schedule(lengths, 8, seed=0)

    def spread(batches):
        return np.mean([np.ptp([lengths[i] for i in one]) for one in batches])

    arbitrary = np.random.default_rng(1).permutation(64).reshape(8, 8)
    assert spread([schedule.clips(step) for step in range(8)]) < 0.4 * spread(arbitrary)


@pytest.fixture
def ready(started):
    return started(window=40, segment=2048)


def test_a_window_holds_its_segment_and_the_recording_of_it(ready):
    for step in range(6):
        batch = make_batch(ready.data.train, [0, 3, 5], ready.data.cutting, 0, step)
        for row, clip in enumerate(batch.clips):
            example, begin, offset = ready.data.train[clip], int(batch.begins[row]), int(batch.offsets[row])
            frames = int(batch.window_lengths[row])
            assert 0 <= begin <= example.frames - frames
            assert 0 <= offset <= frames - 8
            wanted = example.prepared.spectrogram[:, begin : begin + frames]
            assert np.array_equal(batch.spectrogram[row, :, :frames], wanted)
            start = (begin + offset) * 256
            sound = example.prepared.audio[start : start + 2048]
            assert np.array_equal(batch.audio[row, : len(sound)], sound)
            assert not batch.audio[row, len(sound) :].any()


def test_frames_without_their_surroundings_are_uncertain_unless_the_clip_ends_there(ready):
    cutting, kinds = ready.data.cutting, set()
    for step in range(30):
        batch = make_batch(ready.data.train, [1], cutting, 0, step)
        begin, frames, total = int(batch.begins[0]), int(batch.window_lengths[0]), ready.data.train[1].frames
        certain = batch.certain[0, 0].bool()
        expected = torch.ones(frames, dtype=torch.bool)
        if begin > 0:
            expected[: cutting.context] = False
        if begin + frames < total:
            expected[-cutting.context :] = False
        assert torch.equal(certain, expected)
        kinds.add((begin == 0, begin + frames == total))
    assert len(kinds) >= 2, "both kinds of place were seen"


def test_draws_do_not_depend_on_how_a_batch_is_shared_out(ready):
    whole = make_batch(ready.data.train, [0, 3, 5, 2], ready.data.cutting, 0, 7)
    halves = [
        make_batch(ready.data.train, c, ready.data.cutting, 0, 7, first) for c, first in (([0, 3], 0), ([5, 2], 2))
    ]
    for name in ("begins", "offsets", "audio", "noise", "prior_noise"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(half, name) for half in halves])), name
    assert whole.clips == halves[0].clips + halves[1].clips
    other = make_batch(ready.data.train, [0, 3, 5, 2], ready.data.cutting, 0, 8)
    assert not torch.equal(whole.noise, other.noise)


def test_a_window_is_never_shorter_than_what_is_decoded(ready):
    cutting = Cutting(4, 8, 256, ready.data.cutting.latent_channels)
    batch = make_batch(ready.data.train, [0, 1], cutting, 0, 0)
    assert batch.spectrogram.shape[-1] == 8
    assert batch.offsets.tolist() == [0, 0]


def test_clips_shorter_than_the_window_are_padded(ready):
    cutting = Cutting(10_000, 8, 256, ready.data.cutting.latent_channels)
    shortest, longest = (pick(range(8), key=lambda i: ready.data.train[i].frames) for pick in (min, max))
    batch = make_batch(ready.data.train, [shortest, longest], cutting, 0, 0)
    frames = ready.data.train[shortest].frames
    assert batch.spectrogram.shape[-1] == ready.data.train[longest].frames
    assert not batch.spectrogram[0, :, frames:].any()
    assert not batch.certain[0, :, frames:].any()
    assert batch.certain[0, :, :frames].all()


def test_places_do_not_influence_each_other():
    assert generator(0, "clip", 1, 2).random() == generator(0, "clip", 1, 2).random()
    others = [
        generator(0, "clip", 12),
        generator(0, "clip", 2, 1),
        generator(1, "clip", 1, 2),
        generator(0, "epoch", 1),
    ]
    assert len({g.random() for g in others} | {generator(0, "clip", 1, 2).random()}) == 5
