"""`voxgraft new` with recordings: what can't be trained on is said before anything is written."""

import json

import numpy as np
import pytest
from tests.paths import FIXTURES
from tests.text.test_guess_language import SPANISH
from typer.testing import CliRunner

from voxgraft.audio.write import write_wav
from voxgraft.cli.main import app
from voxgraft.config.load import load_config
from voxgraft.errors import ConfigError, CorpusError, GraftError
from voxgraft.graft.plan_project import plan_project
from voxgraft.project.project import project_manifest

SINGLE = FIXTURES / "piper" / "single.ckpt"
MULTI = FIXTURES / "piper" / "multi.ckpt"
LIGHT = ("--set", "voice.discriminator=none")


def corpus(folder, texts):
    for number, _ in enumerate(texts):
        write_wav(folder / "wavs" / f"{number}.wav", 0.1 * np.sin(np.arange(16000) / 20).astype(np.float32), 16000)
    lines = "".join(f"{number}|{text}\n" for number, text in enumerate(texts))
    (folder / "metadata.csv").write_text(lines, "utf-8")
    return folder


def new(*arguments):
    return CliRunner().invoke(app, ["new", *map(str, arguments)], catch_exceptions=False)


def test_texts_in_another_language_than_the_base_are_asked_about(tmp_path):
    recordings = corpus(tmp_path / "data", SPANISH)
    with pytest.raises(CorpusError, match="look like Spanish") as caught:
        new(tmp_path / "p", "--base", SINGLE, "--corpus", recordings)
    assert "--set language=es" in caught.value.remedy
    assert not (tmp_path / "p").exists()
    assert new(tmp_path / "kept", "--base", SINGLE, "--corpus", recordings, "--language", "en-us").exit_code == 0
    assert new(tmp_path / "set", "--base", SINGLE, "--corpus", recordings, "--set", "language=es").exit_code == 0


def test_plan_asks_the_same(tmp_path):
    pytest.importorskip("torch")
    recordings = corpus(tmp_path / "data", SPANISH)
    new(tmp_path / "p", "--base", SINGLE, "--corpus", recordings, "--language", "es", *LIGHT)
    config = load_config(tmp_path / "p")
    assert not any("language:" in refusal for refusal in plan_project(config).plan.refusals)
    asked = plan_project(config.model_copy(update={"language": None})).plan.refusals
    assert any("Spanish" in refusal and "--set language=es" in refusal for refusal in asked)


@pytest.mark.parametrize(("task", "texts"), [((), ("abc", "ABC!")), (("--recogniser",), ("abc", "bad cab"))])
def test_too_few_texts_are_refused_before_anything_is_written(tmp_path, task, texts):
    with pytest.raises(CorpusError, match="training needs at least"):
        new(tmp_path / "p", "--from-scratch", *task, "--corpus", corpus(tmp_path / "data", texts))
    assert not (tmp_path / "p").exists()


def test_a_family_that_is_only_planned_for_is_said_to_be(tmp_path):
    base = FIXTURES / "coqui_tts" / "tacotron2.pth"
    with pytest.raises(GraftError, match="Tacotron 2 can't be trained yet"):
        new(tmp_path / "p", "--base", base)
    planned = CliRunner().invoke(app, ["plan", "--base", str(base)], catch_exceptions=False)
    assert planned.exit_code == 0
    assert "warning: Tacotron 2 can't be trained yet" in planned.stderr


def test_settings_that_the_base_has_no_use_for_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="a recogniser"):
        new(tmp_path / "p", "--base", FIXTURES / "deepspeech" / "english", "--quality", "high")
    with pytest.raises(ConfigError, match="a vocoder"):
        new(tmp_path / "p", "--base", FIXTURES / "coqui_tts" / "hifigan.pth", "--set", "graft.speakers=[a,b]")
    assert not (tmp_path / "p").exists()


def test_recordings_without_a_speaker_beside_kept_ones_are_the_projects(tmp_path):
    pytest.importorskip("torch")
    recordings = corpus(tmp_path / "data", ("abc", "bad cab"))
    keep = ("--set", "graft.keep_speakers=true")
    new(tmp_path / "anna", "--base", MULTI, "--corpus", recordings, "--language", "en-us", *keep, *LIGHT)
    config = load_config(tmp_path / "anna")
    plan = plan_project(config).plan
    assert list(plan.speakers) == ["0", "1", "2", "anna"]
    assert {utterance.speaker for utterance in project_manifest(config)} == {"anna"}
    assert not plan.refusals


def test_recordings_of_nobody_that_the_model_has_are_refused(tmp_path):
    pytest.importorskip("torch")
    recordings = corpus(tmp_path / "data", ("abc", "bad cab"))
    named = ("--set", "graft.speakers=[ann, ben]")
    done = new(
        tmp_path / "p", "--base", SINGLE, "--corpus", recordings, "--language", "en-us", *named, *LIGHT, "--json"
    )
    assert json.loads(done.stdout)["clips"] == 2
    refusals = plan_project(load_config(tmp_path / "p")).plan.refusals
    assert any(refusal.startswith("speakers: 2 of the 2 recordings name no speaker") for refusal in refusals)
