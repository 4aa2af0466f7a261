"""What can't be trained on is named before the first step, all of it in one message."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.training.tasks.acoustic.tiny_acoustic import BASE, corpus, fit, project

from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import CorpusError, GraftError
from voxgraft.training.tasks.acoustic import data
from voxgraft.training.tasks.acoustic.setup import begin


def changed(folder, number, **fields):
    found = list(corpus(folder / "recordings"))
    found[number] = replace(found[number], **fields)
    return Manifest(tuple(found))


def refused(folder, error=CorpusError, **settings):
    with pytest.raises(error) as caught:
        begin(project(folder, **settings))
    return caught.value


def damaged(monkeypatch, name, change):
    """One prepared clip is not as it should be."""
    original = data.prepare_frames

    def prepare(*arguments, **keywords):
        found = original(*arguments, **keywords)
        for item in found:
            if item.utterance.id == "2":
                file = getattr(item, f"{name}_file")
                np.save(file, change(np.load(file)))
        return found

    monkeypatch.setattr(data, "prepare_frames", prepare)


def test_an_unknown_symbol_names_clip_and_symbol(tmp_path):
    fault = refused(tmp_path, manifest=changed(tmp_path, 2, text="bold ж"))
    assert "2: unknown symbols" in fault.problem
    assert "'ж'" in fault.problem
    assert "--symbols" in fault.remedy


def test_all_that_is_wrong_is_one_message_and_can_be_left_out(tmp_path, capsys):
    found = list(corpus(tmp_path / "recordings"))
    found[2] = replace(found[2], text="bold ж")
    found[3] = replace(found[3], language="deu")
    manifest = Manifest(tuple(found))
    fault = refused(tmp_path, manifest=manifest)
    assert fault.problem.startswith("2 recordings can't be used")
    assert "2: unknown symbols" in fault.problem
    assert "3: unknown language" in fault.problem
    assert str(found[3].audio) in fault.problem
    settings = {"validation": 1, "loudness": None, "trim": False, "shortest": 0.1, "skip_bad": True}
    training = begin(project(tmp_path, manifest=manifest, corpus=settings))
    assert len(training.data.train) + len(training.data.validation) == 7
    assert "left out: line 3: 2: unknown symbols" in capsys.readouterr().err


def test_a_speaker_that_the_model_does_not_have_is_refused(tmp_path):
    fault = refused(
        tmp_path, GraftError, manifest=changed(tmp_path, 2, speaker="eve"), graft={"speakers": ["ada", "bo"]}
    )
    assert "'eve'" in fault.summary


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("mel", lambda mel: np.where(mel == mel.max(), np.nan, mel), "not a number (.*: mel: 1 of "),
        ("mel", lambda mel: mel[:, :-3], "wrong length (.*: mel: "),
        ("energy", lambda energy: energy[:-1], "wrong length (.*: energy: "),
    ],
)
def test_features_that_do_not_fit_are_named(tmp_path, monkeypatch, name, change, told):
    damaged(monkeypatch, name, change)
    fault = refused(tmp_path)
    assert re.search(re.escape("2: ") + told.replace("(", r"\("), fault.problem), fault.problem
    assert "cache" in fault.remedy


def test_a_mel_that_is_not_as_long_as_its_sound_is_named(tmp_path, monkeypatch):
    original = data.prepare_frames
    monkeypatch.setattr(
        data, "prepare_frames", lambda *a, **k: [replace(one, samples=one.samples + 32) for one in original(*a, **k)]
    )
    fault = refused(tmp_path)
    assert re.search(r"wrong length \(.*: mel: \d+ frames of 32 samples, and the sound has \d+ samples", fault.problem)


def test_durations_that_do_not_sum_to_the_frames_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "open_durations", lambda path: path)
    monkeypatch.setattr(data, "durations_of", lambda source, utterance, names, frames, *_, **__: np.full(len(names), 3))
    fault = refused(tmp_path, acoustic={"durations": str(BASE)})
    assert "wrong durations" in fault.problem
    assert "they sum to" in fault.problem


def test_durations_of_a_file_are_what_is_learned(tmp_path, monkeypatch):
    def given(source, utterance, names, frames, hop, rate, *, begin):
        found = np.full(len(names), 2)
        found[-1] = frames - 2 * (len(names) - 1)
        return found

    monkeypatch.setattr(data, "open_durations", lambda path: path)
    monkeypatch.setattr(data, "durations_of", given)
    training = begin(project(tmp_path, acoustic={"durations": str(BASE)}))
    fit(training)
    assert training.learner.alignments.stale([0], 0) == [0]


def test_a_text_longer_than_its_sound_is_named(tmp_path):
    fault = refused(tmp_path, manifest=changed(tmp_path, 2, text="hello world " * 40))
    assert "too short for its text" in fault.problem
