"""A text-to-spec model judged by what is heard of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import paths

pytest.importorskip("torch")

from voxgraft.errors import EvaluationError, ExportError
from voxgraft.training.tasks.acoustic import heard
from voxgraft.training.tasks.acoustic.evaluate import acoustic_result, evaluate
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest

ACOUSTIC = str(paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt")
VOCODER = str(paths.FIXTURES / "everyvoice" / "spec-to-wav.ckpt")


@pytest.fixture(autouse=True)
def _own_library(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, EvaluationRequest]]:
    """What the judge of voices is given; how it judges is tested with voices."""
    seen: list[tuple[str, EvaluationRequest]] = []

    def judge(result: str, request: EvaluationRequest) -> Evaluated:
        seen.append((result, request))
        return Evaluated("", (), (), {})

    monkeypatch.setattr(heard, "evaluate", judge)
    return seen


def opened(name: str) -> Any:
    found = acoustic_result(name)
    assert found is not None
    return found


def test_a_pair_is_judged_as_a_voice_beside_its_base(judged):
    evaluate(opened(ACOUSTIC), EvaluationRequest(base=ACOUSTIC, vocoder=VOCODER, seeds=2))
    ((result, request),) = judged
    from voxgraft.evaluation.voice import SeededVoice

    assert Path(result).suffix == ".onnx"
    assert request.base == result, "the base speaks through the result's vocoder"
    assert request.seeds == 2
    audio = SeededVoice(result, speaker="bo").speak("a bad bed", 0)
    assert len(audio) > 500
    assert np.isfinite(audio).all()


def test_a_base_that_is_a_voice_is_judged_as_it_is(judged):
    evaluate(opened(ACOUSTIC), EvaluationRequest(base="tests/fixtures/piper/single.onnx", vocoder=VOCODER))
    assert judged[0][1].base == "tests/fixtures/piper/single.onnx"


@pytest.mark.parametrize("option", ["texts", "seeds", "speaker", "language", "dnsmos"])
def test_what_is_about_sound_wants_a_vocoder(option):
    with pytest.raises(EvaluationError, match="heard through a vocoder only") as caught:
        evaluate(opened(ACOUSTIC), EvaluationRequest(**{option: 1}))
    assert caught.value.field == f"--{option}"


def test_a_vocoder_that_does_not_fit_is_one_error(judged):
    other = str(paths.FIXTURES / "coqui_tts" / "hifigan.pth")
    with pytest.raises(ExportError, match="can't read these spectrograms"):
        evaluate(opened(ACOUSTIC), EvaluationRequest(vocoder=other))
    assert not judged


def test_a_vocoder_is_no_text_to_spec_model():
    assert acoustic_result(VOCODER) is None
    assert acoustic_result("no-such-model") is None
