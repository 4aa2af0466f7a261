"""Coqui TTS's flags in a project of ours."""

import json

import pytest

from voxgraft.cli.train import _as_ours


@pytest.mark.parametrize(("flags", "folder"), [([], "project"), ([("--coqpit.output_path", "asked")], "asked")])
def test_a_project_stays_where_it_is_unless_a_flag_says_otherwise(tmp_path, monkeypatch, flags, folder):
    pytest.importorskip("torch")
    project = tmp_path / "project"
    project.mkdir()
    (project / "voxgraft.yaml").write_text("name: mine\n")
    (tmp_path / "config.json").write_text(json.dumps({"model": "glow_tts", "output_path": str(tmp_path / "theirs")}))
    begun = []
    monkeypatch.setattr("voxgraft.training.run.train", lambda config, resume: begun.append(config.output))
    pairs = [("--config_path", str(tmp_path / "config.json")), *flags]
    monkeypatch.chdir(tmp_path)
    _as_ours(project, pairs, [], {}, False)
    assert begun == [str(tmp_path / folder)]
