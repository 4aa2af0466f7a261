"""The symbols that a project's model reads or writes."""

import pytest
from tests.paths import FIXTURES

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.project.project import project_fit
from voxgraft.project.symbols import project_symbols
from voxgraft.project.task import task_name

DEEPSPEECH = FIXTURES / "deepspeech" / "english"
SINGLE = FIXTURES / "piper" / "single.ckpt"


def test_the_settings_name_them_else_they_are_the_bases(tmp_path):
    base = open_checkpoint(SINGLE)
    assert project_symbols(RunConfig(), base).ids == base.symbols.ids
    assert project_symbols(RunConfig(language="de"), base).voice == "de"
    file = tmp_path / "symbols.txt"
    file.write_text("_\n^\n$\na\n")
    assert project_symbols(RunConfig(graft={"symbols": str(file)}), base).symbols == ("_", "^", "$", "a")
    assert project_symbols(RunConfig(base="none", language="ru"), None).voice == "ru"
    assert project_symbols(RunConfig(base="none", task="recogniser"), None) is None


@pytest.mark.parametrize(
    ("base", "graft", "words"),
    [
        (DEEPSPEECH, {"symbols": "x.txt"}, "--alphabet FILE"),
        (SINGLE, {"alphabet": "x.txt"}, "--symbols FILE"),
        (SINGLE, {"bytes": True}, "--symbols FILE"),
        (FIXTURES / "coqui_tts" / "hifigan.pth", {"symbols": "x.txt"}, "Leave this setting out"),
        (DEEPSPEECH, {"alphabet": "x.txt", "bytes": True}, "Keep one"),
    ],
)
def test_a_table_of_another_kind_is_refused_with_the_option_that_fits(base, graft, words):
    with pytest.raises(GraftError) as caught:
        project_symbols(RunConfig(graft=graft), open_checkpoint(base))
    assert words in caught.value.remedy


def test_a_recogniser_from_scratch_takes_no_table_of_symbols():
    with pytest.raises(GraftError, match="blank"):
        project_symbols(RunConfig(base="none", task="recogniser", graft={"symbols": "x.txt"}), None)


def test_the_task_is_the_bases_and_from_scratch_what_the_settings_ask_for():
    assert task_name(RunConfig(), open_checkpoint(DEEPSPEECH)) == "recogniser"
    assert task_name(RunConfig(), open_checkpoint(SINGLE)) == "voice"
    assert task_name(RunConfig(base="none"), None) == "voice"
    assert task_name(RunConfig(base="none", graft={"alphabet": "x.txt"}), None) == "recogniser"
    assert task_name(RunConfig(base="none", recogniser={"epochs": 2}), None) == "recogniser"


def test_recordings_must_fit_the_base_that_is_open_already():
    base = open_checkpoint(SINGLE)
    symbols, rate = project_fit(RunConfig(base=str(SINGLE)), base)
    assert symbols == project_symbols(RunConfig(), base)
    assert rate == base.audio.sample_rate
    assert project_fit(RunConfig(), None) == (None, None)
    assert project_fit(RunConfig(base="none", quality="low"), None)[1] == 16000
    assert project_fit(RunConfig(base="none", task="recogniser"), None) == (None, None)
