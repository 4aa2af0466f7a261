"""The demo's path from corpus to page, with a tiny base, few steps and no instruments that would take long."""

import json

import pytest
from tests.training.tasks.vits.tiny_project import corpus, spelt

from voxgraft.demo import voice as demo
from voxgraft.errors import MissingExtra

pytest.importorskip("torch")
pytest.importorskip("lightning")


@pytest.fixture
def tiny_demo(tmp_path, monkeypatch):
    """run_demo on a spelt tiny base and tones; evaluation is replaced, since it has tests of its own."""
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    base = spelt("single.onnx", tmp_path / "base")
    recordings = corpus(tmp_path / "tones")
    asked = []
    monkeypatch.setattr(demo, "_compare", lambda config, voice: asked.append(voice) or None)
    monkeypatch.setattr(demo, "_report", lambda path, *rest: path.write_text("page"))
    monkeypatch.setattr(demo, "check_sample", lambda folder: None)
    monkeypatch.setattr(demo, "SENTENCE", "abc dab.")
    overrides = [
        f"base={json.dumps(str(base))}",
        "corpus.held_out=[]",
        "corpus.validation=1",
        "corpus.loudness=null",
        "corpus.trim=false",
        "voice.recovery.steps=2",
        "voice.recovery.crop=16",
        "voice.sentences=[abc]",
        "evaluation.recogniser=absent-on-purpose",
        "training.minutes=null",
        "voice.segment=2048",
        "voice.window=32",
        "training.batch=2",
        "training.device=cpu",
    ]

    def run(*more):
        return demo.run_demo(tmp_path / "demo", corpus=recordings, overrides=[*overrides, *more]), asked

    return run


def test_it_trains_speaks_and_writes_a_page(tiny_demo):
    result, asked = tiny_demo("training.steps=2")
    assert result.run.finished
    assert asked == [result.run.voice]
    assert result.report is not None
    assert result.report.read_text() == "page"
    assert result.sample is not None
    assert result.sample.stat().st_size > 1000
    assert set(result.to_dict()) == {"seconds", "base", "result", "recordings", "voice", "report", "sample", "run"}


@pytest.mark.slow
def test_begun_again_it_does_not_train_again(tiny_demo):
    first, _ = tiny_demo("training.steps=2")
    before = (first.run.folder / "metrics.jsonl").read_text()
    again, asked = tiny_demo("training.steps=2")
    assert again.run.step == 2
    assert len(asked) == 2
    assert (again.run.folder / "metrics.jsonl").read_text() == before


def test_what_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "REQUIRED", {"no_such_module": ("no-such-package", "demo")})
    with pytest.raises(MissingExtra, match="no-such-package"):
        demo.run_demo(tmp_path)


def test_the_held_out_texts_are_not_trained_on(tmp_path):
    from voxgraft.corpus import sample
    from voxgraft.corpus.split import split

    config = demo.demo_config(tmp_path)
    parts = split(sample.bundled(), config.corpus.validation, config.corpus.held_out, config.seed)
    assert {u.id for u in parts.held_out} == set(sample.held_out_ids())
    assert not {u.text for u in parts.held_out} & {u.text for u in (*parts.train, *parts.validation)}
