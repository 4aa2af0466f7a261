"""The test at the end of a run: base and result, on the new language and on the old, in numbers and on a page."""

import json
import re

import pytest
from click.testing import CliRunner
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.evaluation.report.test_page import Page
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, RUSSIAN, project, table, tables

from voxgraft.checkpoints import open_checkpoint
from voxgraft.cli.main import load_verb
from voxgraft.errors import VoxgraftError
from voxgraft.training.run import train
from voxgraft.training.tasks.ctc import testing
from voxgraft.training.tasks.ctc.report import REPORT
from voxgraft.training.tasks.ctc.setup import begin
from voxgraft.training.tasks.ctc.testing import TEST, hear, measures_of, read_test

pytestmark = pytest.mark.usefixtures("without_export")
BASE = DEEPSPEECH / "english"


@pytest.fixture
def transferred(tmp_path, capsys):
    """A run from English to Cyrillic that is tested on English too, and what it said."""
    english = str(table(tmp_path / "old", "old", ENGLISH[:4], seed=7))
    result = train(project(tmp_path, BASE, RUSSIAN, recogniser={"source_test": [english]}))
    return result, capsys.readouterr().err


def test_base_and_result_are_tested_on_the_bases_language_too(transferred):
    result, said = transferred
    measures = measures_of(read_test(result.folder))
    assert list(measures) == [
        "wer", "cer", "base_wer", "base_cer", "source_wer", "source_cer", "base_source_wer", "base_source_cer",
    ]  # fmt: skip
    assert all(low <= value <= high for value, low, high in measures.values())
    assert {name: result.outcome.values[name] for name in measures} == measures
    assert "3 for test, 4 of the base's language" in said
    assert "the base on 4 utterances for test in the base's language: WER" in said
    who = "the new model" if result.best.step else "the graft, untrained (no step was better)"
    assert f"{who} on 4 utterances for test in the base's language: WER" in said
    assert "lacks letters of the base's language that come in the recordings for test: abcd; each of them" in said


def test_the_numbers_are_those_of_the_base_and_of_the_best(transferred, tmp_path):
    result, _ = transferred
    english = (str(tmp_path / "old" / "old.csv"),)
    config = project(tmp_path / "again", BASE, RUSSIAN, recogniser={"source_test": english})
    material = begin(config).data
    best = open_checkpoint(next((result.folder / "best").glob("*.safetensors")))
    for who, checkpoint in (("base_", open_checkpoint(BASE)), ("", best)):
        for where, examples in (("", material.test), ("source_", material.source)):
            heard = hear(checkpoint, examples, begin(config).device)
            assert result.outcome.values[f"{who}{where}cer"][0] == pytest.approx(heard.cer)
    # Nothing but Cyrillic can be written: no letter of the old language is right.
    source = json.loads((result.folder / TEST).read_text("utf-8"))["source"]
    assert source["result"]["cer"][0] > 0.5
    assert source["lacking"] == "abcd"


def test_the_page_holds_both_sets_the_curves_the_plan_and_the_sound(transferred):
    result, _ = transferred
    page = Page((result.folder / REPORT).read_text("utf-8"))
    for words in (
        "tiny: a recogniser", "recordings for test", "the base's language", "What was forgotten", "Worst utterances",
        "Learning curves", "Loss, nats a label", "Graft plan", "What went wrong while it learned", "8 utterances, 0.1 minutes",
    ):  # fmt: skip
        assert words in page.text, words
    assert 3 <= len(page.all("audio")) <= 7
    value, _, _ = result.outcome.values["source_cer"]
    assert f"{100 * value:.1f} %" in page.text


def test_without_a_set_of_the_bases_language_there_are_no_such_numbers(tmp_path):
    result = train(project(tmp_path, BASE))
    assert result.outcome.values["source_cer"] is None
    assert result.outcome.values["base_source_cer"] is None
    assert json.loads((result.folder / TEST).read_text("utf-8"))["source"] is None
    assert "What was forgotten" not in (result.folder / REPORT).read_text("utf-8")


def test_recordings_that_are_learned_from_are_named_in_the_old_set(tmp_path, capsys):
    recordings = tables(tmp_path / "recordings")
    train(project(tmp_path, BASE, recogniser={"source_test": recordings["train"]}))
    assert (
        "warning: recording in two sets: 8 of 8 utterances of source_test share it with train"
        in capsys.readouterr().err
    )


def test_a_run_that_was_never_tested_has_no_measures(tmp_path):
    assert read_test(tmp_path) is None
    assert set(measures_of(None).values()) == {None}
    assert measures_of(None).keys() == measures_of(testing.Tested()).keys()


def test_a_graft_that_no_step_made_better_is_not_called_a_new_model(tmp_path):
    measures = {"wer": [0.5, 0.4, 0.6], "cer": [0.2, 0.1, 0.3]}
    for step, who in ((0, "the graft, untrained (no step was better)"), (3, "the new model")):
        (tmp_path / TEST).write_text(json.dumps({"step": step, "result": measures, "base": measures, "source": None}))
        assert [line.partition(":")[0] for line in testing.told(read_test(tmp_path))] == ["the base", who]


@pytest.mark.parametrize("content", ['{"step": 3, "resu', "", "[]", "\0\0\0"])
def test_a_test_that_was_cut_short_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / TEST).write_text(content)
    with pytest.raises(VoxgraftError) as caught:
        read_test(tmp_path)
    assert caught.value.file == str(tmp_path / TEST)
    assert "voxgraft evaluate" in caught.value.remedy


def test_train_stt_prints_what_was_forgotten(tmp_path):
    named = tables(tmp_path / "csv", RUSSIAN)
    old = table(tmp_path / "old", "old", ENGLISH[:3])
    arguments = [a for part in ("train", "dev", "test") for a in (f"--{part}_files", *named[part])]
    arguments += ["--load_checkpoint_dir", str(BASE), "--save_checkpoint_dir", str(tmp_path / "out"), "--epochs", "1"]
    arguments += ["--train_batch_size", "4", "--source-test-files", str(old)]
    arguments += ["--set", "corpus.shortest=0.1", "--set", "training.device=cpu"]
    told = CliRunner().invoke(load_verb("train-stt"), [*arguments, "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert len(document["source_cer"]) == len(document["base_source_wer"]) == 3
    assert document["report"] == str(tmp_path / "out" / "runs" / "stt-1" / REPORT)
    words = CliRunner().invoke(load_verb("train-stt"), arguments).stdout
    assert "the base in the base's language: WER" in words
    assert re.search(r"(the new model|no step was better\)) in the base's language: WER", words)
    assert "report: " in words
