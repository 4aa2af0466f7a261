import pytest

from voxgraft.config.load import load_config
from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import load_run_config, write_run_config
from voxgraft.errors import ConfigError

OLD_VOICE = """\
name: anna
output: /somewhere
base: none
noise_scale: 0.5
seed: 3
graft:
  speakers: [a]
corpus:
  path: /wavs
training:
  steps: 5
  window: 40
  devices: 1
recovery:
  steps: 4
evaluation:
  seeds: 3
  cer_margin: 0.1
"""
OLD_RECOGNISER = OLD_VOICE.replace("base: none", "base: none\ntask: recogniser") + "recogniser:\n  augment: []\n"


@pytest.mark.parametrize("task", ["voice", "recogniser"])
def test_a_run_keeps_its_settings(tmp_path, task):
    config = RunConfig(task=task, output=str(tmp_path), name="grün"[:2] + "n", training={"steps": 3})
    path = tmp_path / "runs" / "x" / "config.yaml"
    write_run_config(config, path)
    assert load_run_config(path) == config
    assert load_config(path) == config, "its guard is a comment"


def test_a_file_cut_anywhere_is_an_error(tmp_path):
    path = tmp_path / "config.yaml"
    write_run_config(RunConfig(output=str(tmp_path)), path)
    whole = path.read_bytes()
    for length in [*range(0, 200), *range(200, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ConfigError) as caught:
            load_run_config(path)
        assert caught.value.file == str(path)
        assert "cut short" in caught.value.problem or "YAML" in caught.value.problem, length
    path.write_bytes(whole.replace(b"steps: 2000", b"steps: 3000"))
    with pytest.raises(ConfigError, match="changed since the run began") as caught:
        load_run_config(path)
    assert "again under another name" in caught.value.remedy


@pytest.mark.parametrize("text", [OLD_VOICE, OLD_RECOGNISER])
def test_runs_of_earlier_versions_go_on_without_a_word(tmp_path, text, capsys):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    config = load_run_config(path)
    assert (config.voice.window, config.voice.cer_margin, config.voice.recovery.steps) == (40, 0.1, 4)
    assert capsys.readouterr().err == ""
    for length in range(0, len(text), 7):
        path.write_text(text[:length])
        with pytest.raises(ConfigError):
            load_run_config(path)


def test_a_run_without_settings_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        load_run_config(tmp_path / "config.yaml")
