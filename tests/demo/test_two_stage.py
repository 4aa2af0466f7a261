"""The two-stage demo's path from corpus to page: tiny models, a few steps, no instruments that would take long."""

from __future__ import annotations

import json

import pytest
from tests import paths
from tests.training.tasks.acoustic.tiny_acoustic import corpus

pytest.importorskip("torch")
pytest.importorskip("pyworld")

from voxgraft.demo import two_stage
from voxgraft.project.run_folder import MANIFEST

EVERYVOICE = paths.FIXTURES / "everyvoice"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run_two_stage on tiny bases and tones; the last comparison is replaced, since it has tests of its own."""
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "demo"
    corpus(folder, seconds=0.7).write(folder / MANIFEST)
    asked = []
    monkeypatch.setattr(two_stage, "_compare", lambda config, *voices: asked.append(voices) or None)
    monkeypatch.setattr(two_stage, "_report", lambda path, *rest: path.write_text("page"))
    monkeypatch.setattr(two_stage, "check_sample", lambda folder: None)
    monkeypatch.setattr("voxgraft.demo.voice.SENTENCE", "a bad bed")
    acoustic = [
        f"base={json.dumps(str(EVERYVOICE / 'text-to-spec.ckpt'))}",
        f"acoustic.vocoder={json.dumps(str(EVERYVOICE / 'spec-to-wav.ckpt'))}",
        "corpus.held_out=['1', '4']",
        "corpus.validation=1",
        "corpus.loudness=null",
        "corpus.trim=false",
        "corpus.shortest=0.1",
        "evaluation.recogniser=none",
        "evaluation.dnsmos=false",
        "training.minutes=null",
        "training.steps=2",
        "training.batch=2",
        "training.device=cpu",
    ]
    vocoder = [
        "training.minutes=null",
        "training.steps=2",
        "training.batch=2",
        "training.device=cpu",
        "vocoder.segment=2048",
    ]

    def begin(*more):
        return two_stage.run_two_stage(folder, overrides=[*acoustic, *more], matching=vocoder), asked

    return begin


def test_it_trains_matches_speaks_and_writes_a_page(run):
    result, asked = run()
    assert result.run.finished
    assert result.matched.run.finished
    assert [voice.suffix for voice in asked[0]] == [".onnx", ".onnx"]
    assert asked[0][1] == result.voice
    assert result.report.read_text() == "page"
    assert result.sample.stat().st_size > 1000
    told = result.to_dict()
    assert set(told) == {"seconds", "base", "result", "recordings", "matching", "voice", "report", "sample", "run"}
    assert set(told["matching"]) >= {"before", "after"}
    again, _ = run()
    assert again.run.step == result.run.step
    assert again.matched.to_dict()["after"] == told["matching"]["after"]
