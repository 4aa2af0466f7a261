import numpy as np
import pytest
import torch
from tests.training.tasks.acoustic.tiny_acoustic import project

from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.acoustic.batches import make_batch, step_size
from voxgraft.training.tasks.acoustic.mixture import Mixture
from voxgraft.training.tasks.acoustic.setup import begin


@pytest.fixture
def training(tmp_path):
    return begin(project(tmp_path))


def test_a_batch_holds_its_clips_and_pads_with_zeros(training):
    examples = training.data.train
    batch = make_batch(examples, [0, 3])
    assert batch.mel.shape == (2, 8, max(examples[0].frames, examples[3].frames))
    assert batch.prior.shape == (2, batch.mel.shape[2], batch.ids.shape[1])
    for row, clip in enumerate((0, 3)):
        example, frames = examples[clip], examples[clip].frames
        features = example.features()
        np.testing.assert_array_equal(batch.mel[row, :, :frames], features.mel)
        np.testing.assert_array_equal(batch.pitch[row, :frames], features.pitch)
        np.testing.assert_array_equal(batch.ids[row, : len(example.ids)], example.ids)
        assert not batch.mel[row, :, frames:].any()
        assert not batch.prior[row, frames:].any()
        assert (batch.prior[row, :frames, : len(example.ids)].sum(1) > 0).all()
    assert batch.speaker.tolist() == [examples[0].speaker, examples[3].speaker]
    assert batch.total_frames == batch.frames.sum() == batch.usual_frames


def test_pitch_and_energy_are_measured_against_their_speaker(training):
    rows = {0: [], 1: []}
    for example in (*training.data.train, *training.data.validation):
        features = example.features()
        rows[example.speaker].append((features.pitch[example.prepared.pitch > 0], features.energy))
    for found in rows.values():
        for values in zip(*found, strict=True):
            joined = np.concatenate(values)
            assert abs(joined.mean()) < 1e-4
            assert joined.std() == pytest.approx(1, abs=0.01)


def test_parts_of_a_step_on_several_processes_are_padded_as_the_whole(training):
    examples, clips = training.data.train, [5, 0, 6]
    whole, of = make_batch(examples, clips), step_size(examples, clips)
    parts = [make_batch(examples, clips[:1], of=of), make_batch(examples, clips[1:], of=of)]
    for name in ("mel", "ids", "pitch", "prior"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert {part.total for part in parts} == {3}
    assert sum(part.usual_frames for part in parts) == pytest.approx(whole.total_frames)
    assert torch.equal(whole.part(1, 3).mel, parts[1].mel)


def test_the_same_step_gives_the_same_batch(training):
    first, again = (next(iter(training.batches(2, 3, Processes()))) for _ in range(2))
    assert torch.equal(first.mel, again.mel)
    assert first.clips == again.clips


def test_a_mixture_has_its_share_of_the_source_in_every_batch():
    mixture = Mixture.of(tuple(range(20)), 12, 5, 0.4, seed=1)
    steps = [mixture.clips(step) for step in range(mixture.steps_per_epoch)]
    assert all(len(clips) == 5 and sum(clip >= 12 for clip in clips) == 2 for clips in steps)
    assert {clip for clips in steps for clip in clips if clip < 12} == set(range(12))
    # Another epoch brings other clips of the source.
    later = [mixture.clips(step) for step in range(8, 12)]
    assert {clip for clips in (*steps, *later) for clip in clips if clip >= 12} == set(range(12, 20))
    assert Mixture.of((1, 2, 3), 3, 2, 0.4, seed=1).source is None
