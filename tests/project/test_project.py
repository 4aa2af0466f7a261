import pytest
import yaml

from voxgraft.config.load import load_config
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import CheckpointError, ConfigError, CorpusError, VoxgraftError
from voxgraft.graft.plan_project import plan_project
from voxgraft.project.project import new_project, project_speakers
from voxgraft.project.run_folder import MANIFEST


def _utterance(number: int, speaker: str | None) -> Utterance:
    return Utterance(str(number), f"{number}.wav", "Hello.", 1.0, 16000, speaker=speaker)


def test_a_base_is_picked_where_none_is_named_and_scratch_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path))
    with pytest.raises(CheckpointError, match="no base at hand fits") as caught:
        plan_project(RunConfig(voice={"quality": "x_low"}))
    assert "--from-scratch" in caught.value.remedy
    result = plan_project(RunConfig(base="none", voice={"discriminator": "none"}))
    assert result.base is None
    assert result.plan.counts.keys() == {"init"}
    assert result.target.quality == "medium"


def test_speakers_come_from_the_settings_else_from_the_corpus(tmp_path):
    config = RunConfig(output=str(tmp_path))
    assert project_speakers(config) is None
    Manifest(tuple(_utterance(n, s) for n, s in enumerate(("bo", "al", "bo")))).write(tmp_path / MANIFEST)
    assert project_speakers(config) == ("bo", "al")
    assert project_speakers(RunConfig(output=str(tmp_path), graft={"speakers": ["x"]})) == ("x",)


def test_a_new_project_is_made_once(tmp_path):
    folder = tmp_path / "anna"
    config, manifest = new_project(folder, {"name": "anna", "base": "none"})
    assert manifest is None
    assert config == load_config(folder)
    assert yaml.safe_load((folder / "voxgraft.yaml").read_text("utf-8")) == {"name": "anna", "base": "none"}
    before = (folder / "voxgraft.yaml").read_bytes()
    with pytest.raises(ConfigError, match="project already"):
        new_project(folder, {"name": "other"})
    assert (folder / "voxgraft.yaml").read_bytes() == before


def test_nothing_is_written_where_something_is_wrong(tmp_path):
    folder = tmp_path / "anna"
    with pytest.raises(ConfigError):
        new_project(folder, {"training": {"stps": 1}})
    with pytest.raises(VoxgraftError):
        new_project(folder, {}, corpus=tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError):
        new_project(folder, {}, corpus=tmp_path / "empty")
    assert not folder.exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="not a folder"):
        new_project(tmp_path / "file", {})
    assert (tmp_path / "file").read_text() == "mine"


def test_a_project_with_settings_of_another_task_is_not_made(tmp_path):
    for values in (
        {"base": "none", "task": "recogniser", "voice": {"quality": "high"}},
        {"base": "none", "task": "voice", "recogniser": {"epochs": 3}},
    ):
        with pytest.raises(ConfigError, match="what is trained here"):
            new_project(tmp_path / "new", values)
    assert not (tmp_path / "new").exists()
