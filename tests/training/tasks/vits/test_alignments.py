import numpy as np
import torch
from tests.training.tasks.vits.tiny_project import batch_of

from voxgraft.training.tasks import kept_durations
from voxgraft.training.tasks.vits.alignments import Alignments


def test_durations_are_those_of_the_models_own_alignment_of_each_clip_alone(started):
    ready = started()
    model = ready.learner.generator.eval()
    kept = Alignments(ready.data.train, 100)
    found = kept.align(model, [2, 0, 5], torch.device("cpu"))
    for clip, durations in found.items():
        example = ready.data.train[clip]
        assert durations.sum() == example.frames
        assert len(durations) == len(example.ids)
        with torch.no_grad():
            text = model.encode_text(torch.from_numpy(example.ids)[None], torch.tensor([len(example.ids)]))
            spectrogram = torch.from_numpy(example.prepared.spectrogram)[None]
            mask = torch.ones(1, 1, example.frames)
            mean, _ = model.enc_q(spectrogram, mask)
            alone = model.align(text, model.flow(mean, mask), mask).sum(2)[0]
        assert np.array_equal(alone.numpy().astype(np.int32), durations)


def test_a_clip_is_aligned_again_after_growing_intervals_up_to_the_longest(started, monkeypatch):
    monkeypatch.setattr(kept_durations, "FIRST_INTERVAL", 10)
    ready = started()
    kept = Alignments(ready.data.train, 40)
    zero = {0: np.ones(3, np.int32)}
    assert kept.stale([0, 1, 0], 0) == [0, 1]
    at, found_at = 0, []
    kept.update(zero, 0)
    for step in range(300):
        if kept.stale([0], step):
            kept.update(zero, step)
            found_at.append(step - at)
            at = step
    assert found_at[:3] == [10, 15, 22]
    assert found_at[3:] == [33, *[40] * len(found_at[4:])]


def test_they_survive_a_checkpoint_and_clips_without_stay_without(started, tmp_path):
    ready = started()
    batch_of(ready)
    kept = ready.learner.alignments
    torch.save(kept.state_dict(), tmp_path / "x")
    other = Alignments(ready.data.train, 100)
    other.load_state_dict(torch.load(tmp_path / "x", weights_only=True))
    clips = range(len(ready.data.train))
    aligned = [clip for clip in clips if not kept.stale([clip], 1)]
    assert 0 < len(aligned) < len(clips)
    assert other.stale(clips, 1) == kept.stale(clips, 1)
    assert torch.equal(other.durations(aligned, torch.device("cpu")), kept.durations(aligned, torch.device("cpu")))
    kept.forget()
    assert kept.stale(clips, 1) == list(clips)
