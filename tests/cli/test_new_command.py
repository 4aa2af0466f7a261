import json

import pytest
from typer.testing import CliRunner

from voxgraft.cli.main import app
from voxgraft.cli.plan import speaker_names
from voxgraft.config.load import load_config
from voxgraft.errors import CheckpointError, ConfigError


def new(*arguments):
    return CliRunner().invoke(app, ["new", *map(str, arguments)], catch_exceptions=False)


def test_a_project_from_scratch(tmp_path):
    done = new(tmp_path / "ann", "--from-scratch", "--quality", "low", "--language", "de", "--set", "seed=3", "--json")
    assert json.loads(done.stdout)["base"] == "none"
    config = load_config(tmp_path / "ann")
    assert (config.name, config.base, config.voice.quality, config.language, config.seed) == (
        "ann",
        "none",
        "low",
        "de",
        3,
    )
    assert config.output == str(tmp_path / "ann")


def test_it_says_what_to_run_next(tmp_path):
    done = new(tmp_path / "my voice", "--from-scratch")
    assert load_config(tmp_path / "my voice").name == "my-voice"
    assert f"voxgraft train '{tmp_path}/my voice'" in done.stdout
    assert "voxgraft corpus import" in done.stdout


def test_an_unknown_base_and_a_second_project_are_refused(tmp_path):
    with pytest.raises(CheckpointError):
        new(tmp_path / "a", "--base", "nobody-knows-this")
    assert not (tmp_path / "a").exists()
    new(tmp_path / "a", "--from-scratch")
    with pytest.raises(ConfigError, match="project already"):
        new(tmp_path / "a", "--from-scratch")


def test_base_and_from_scratch_exclude_each_other(tmp_path):
    assert new(tmp_path / "a", "--base", "x", "--from-scratch").exit_code == 2


def test_speaker_names():
    assert speaker_names("3") == ["speaker0", "speaker1", "speaker2"]
    assert speaker_names("ann, ben") == ["ann", "ben"]
