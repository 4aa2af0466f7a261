"""Voices that a run keeps and has no recordings of."""

import pytest
import torch
from tests.training.tasks.vits.tiny_project import corpus, fit, settings, spelt

from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.project.run_folder import MANIFEST
from voxgraft.training.run import train
from voxgraft.training.tasks.vits.replay import FOLDER, LIST, clips_for, silent_voices
from voxgraft.training.tasks.vits.setup import begin


def two_voices(folder, keep=True, **training):
    """A project that adds ann to a base with one voice, which it keeps."""
    import_corpus(corpus(folder.with_name(f"{folder.name}-recordings"), speakers=("ann",))).write(folder / MANIFEST)
    base = spelt("single.onnx", folder / "base")
    chosen = settings(folder, base, **{"discriminator": "none", "weights": {"from_text": 0}} | training)
    # The tiny base says a word in a fifth of a second.
    chosen["corpus"] |= {"shortest": 0.05}
    return RunConfig(**chosen, graft={"keep_speakers": keep})


def clips_of(ready, speaker):
    return [e for e in ready.data.train if ready.target.speakers[e.speaker] == speaker]


def test_a_voice_that_is_kept_speaks_what_is_trained_on(tmp_path):
    ready = begin(two_voices(tmp_path, replay=0.5))
    assert ready.target.speakers == ("default", "ann")
    kept, new = clips_of(ready, "default"), clips_of(ready, "ann")
    assert len(kept) == len(new) > 0, "half of all clips"
    texts = {e.prepared.utterance.text for e in new}
    assert {e.prepared.utterance.text for e in kept} <= texts, "nothing that is set aside is spoken"
    folder = tmp_path / "runs" / "tiny" / FOLDER
    assert len(list(folder.glob("*.wav"))) == len(Manifest.read(folder / LIST)) == len(kept)


def test_it_sounds_as_the_base_does(tmp_path):
    ready = begin(two_voices(tmp_path, replay=0.5))
    example = clips_of(ready, "default")[0]
    audio = torch.from_numpy(example.prepared.audio)
    spoken = ready.learner.generator.eval()
    with torch.no_grad():
        plain = spoken.infer(
            torch.from_numpy(example.ids)[None], torch.tensor([len(example.ids)]), speaker=torch.tensor([0])
        )
    # Drawn anew, so not the same samples: as long and as loud as the base makes it.
    assert 0.3 < len(audio) / plain.shape[-1] < 3
    assert 0.2 < float(audio.std() / plain.std()) < 5


def test_without_replay_a_kept_voice_has_no_clips(tmp_path):
    assert clips_of(begin(two_voices(tmp_path, replay=0)), "default") == []
    assert not (tmp_path / "runs" / "tiny" / FOLDER).exists()


def test_nothing_is_replayed_where_no_voice_is_kept(tmp_path):
    ready = begin(two_voices(tmp_path, keep=False))
    assert ready.target.speakers == ("ann",)
    assert not (tmp_path / "runs" / "tiny" / FOLDER).exists()


@pytest.mark.usefixtures("without_export")
def test_a_resume_goes_on_with_the_same_clips(tmp_path):
    config = two_voices(tmp_path, replay=0.3, steps=2)
    train(config)
    folder = tmp_path / "runs" / "tiny" / FOLDER
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    from voxgraft.config.run_file import load_run_config
    from voxgraft.training.loop.checkpoints import newest
    from voxgraft.training.tasks.vits.setup import resume

    path, content = newest(moved / "runs" / "tiny" / "checkpoints")
    kept_settings = load_run_config(moved / "runs" / "tiny" / "config.yaml").model_copy(update={"output": str(moved)})
    went_on = resume(kept_settings, path, content)
    kept = clips_of(went_on, "default")
    assert len(kept) == len([name for name in before if name.endswith(".wav")])
    assert all(str(moved) in e.prepared.utterance.audio for e in kept)
    assert {p.name: p.read_bytes() for p in (moved / "runs" / "tiny" / FOLDER).iterdir()} == before


def test_the_same_seed_says_the_same(tmp_path):
    one, other = (begin(two_voices(tmp_path / name, replay=0.4)) for name in ("one", "other"))
    for a, b in zip(clips_of(one, "default"), clips_of(other, "default"), strict=True):
        assert a.prepared.utterance.sha256 == b.prepared.utterance.sha256


@pytest.mark.slow
def test_with_replay_a_kept_voice_changes_less(tmp_path):
    """How far a kept voice's sound of a text moves in a few large steps towards another's recordings."""

    def drift(name, replay):
        rates = dict.fromkeys(("decoder", "posterior", "flow"), 3e-3)
        ready = begin(two_voices(tmp_path / name, replay=replay, steps=40, batch=4, learning_rates=rates, ema=0))
        ids = torch.from_numpy(clips_of(ready, "ann")[0].ids)[None]

        def sound():
            with torch.no_grad():
                model = ready.learner.generator.eval()
                audio = model.infer(
                    ids, torch.tensor([ids.shape[1]]), speaker=torch.tensor([0]), noise_scale=0.0, noise_w=0.0
                )
            return torch.stft(audio[0], 256, window=torch.hann_window(256), return_complex=True).abs().log1p()

        before = sound()
        fit(ready)
        return float((sound() - before).abs().mean())

    assert drift("with", 0.6) < 0.9 * drift("without", 0.0)


@pytest.mark.parametrize(
    ("share", "recordings", "voices", "clips"), [(0.2, 80, 1, 20), (0.2, 4, 3, 3), (0, 80, 1, 0), (0.5, 10, 0, 0)]
)
def test_how_many_clips_are_spoken(share, recordings, voices, clips):
    assert clips_for(share, recordings, voices) == clips


def test_only_voices_of_the_base_are_kept(tmp_path):
    examples = begin(two_voices(tmp_path, keep=False)).data.train
    assert silent_voices(("ann", "joe", "zoe"), ("joe",), examples) == (1,)
    assert silent_voices(("ann",), ("ann",), examples) == ()
