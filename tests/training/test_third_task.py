"""A task that another package brings is begun, killed, resumed, validated, evaluated and exported by the same ways as ours."""

import json
import sys

import pytest
import torch
from tests.training.stopping import before_step, stop_before
from tests.training.tiny_task import TASK

from voxgraft.config.load import load_config, with_overrides
from voxgraft.config.run import RunConfig
from voxgraft.config.tasks import registry
from voxgraft.errors import ConfigError, VoxgraftError
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.run import train
from voxgraft.training.tasks import task as tasks


@pytest.fixture(autouse=True)
def _installed(tmp_path, monkeypatch):
    """A distribution on the path that offers the task by its entry point."""
    site = tmp_path / "site"
    folder = site / "tiny_task-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-task\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[voxgraft.tasks]\ntiny = tests.training.tiny_task:TASK\n")
    monkeypatch.syspath_prepend(str(site))
    for known in (registry._offered, tasks.tasks):
        known.cache_clear()
    yield
    for known in (registry._offered, tasks.tasks):
        known.cache_clear()


def config(folder, **training):
    settings = {"steps": 40, "batch": 4, "device": "cpu", "validate_every": 10, "warmup": 0, **training}
    return RunConfig(
        name="doubling", output=str(folder), task="tiny", base="none", training=settings, tiny={"width": 3}
    )


def last(folder):
    return load(checkpoints_in(folder / "checkpoints")[-1])


def test_it_is_begun_validated_and_exported(tmp_path, capsys):
    result = train(config(tmp_path))
    assert (result.finished, result.step, result.voice) == (True, 40, tmp_path / "layers" / "doubling.pt")
    assert result.best.step > 0, "better than it began"
    assert torch.load(result.voice)["weight"].shape == (3, 3)
    said = capsys.readouterr().err
    assert "step 0: validation score" in said
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
    off = [line["off"] for line in lines if line["kind"] == "train"]
    assert off[-1] < 0.5 * off[0]
    assert sum(line["kind"] == "validation" for line in lines) == 5


def test_killed_and_resumed_it_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    whole = train(config(tmp_path / "whole"))
    stopped = config(tmp_path / "stopped", checkpoint_minutes=1e-9)

    def die():
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        before_step(patch, 17, die)
        with pytest.raises(RuntimeError, match="killed"):
            train(stopped)
    with monkeypatch.context() as patch:
        stop_before(patch, 25)
        assert train(stopped, resume=True).step == 26
    resumed = train(stopped, resume=True)
    one, other = last(whole.folder), last(resumed.folder)
    assert torch.equal(one["state_dict"]["weight"], other["state_dict"]["weight"])
    assert resumed.best == whole.best
    longer = train(with_overrides(stopped, ["training.steps=50"]), resume=True)
    assert (longer.finished, longer.step) == (True, 50)
    with pytest.raises(VoxgraftError, match="tiny"):
        train(with_overrides(stopped, ["tiny.rate=0.5"]), resume=True)


def test_its_settings_are_its_own(tmp_path):
    with pytest.raises(ConfigError, match=r"tiny\.width"):
        RunConfig(task="tiny", tiny={"width": 0})
    with pytest.raises(ConfigError, match=r"voice\.window"):
        train(with_overrides(config(tmp_path), ["voice.window=40"]))
    assert not (tmp_path / "runs").exists()


def run(monkeypatch, capsys, *arguments):
    from voxgraft.cli.main import main

    monkeypatch.setattr(sys, "argv", ["voxgraft", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, *capsys.readouterr()


def test_the_same_commands_work_for_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voxgraft.yaml").write_text("name: doubling\ntask: tiny\nbase: none\ntiny:\n  width: 3\n")
    assert load_config(tmp_path).section("tiny").width == 3
    code, out, err = run(
        monkeypatch, capsys, "train", ".", "--set", "training.steps=20", "--set", "training.batch=4", "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    assert told["finished"]
    code, out, err = run(monkeypatch, capsys, "evaluate", told["layer"], "--seeds", "2", "--json")
    assert code == 0, err
    assert json.loads(out)["seeds"] == 2
    assert json.loads(out)["off"] < 1
    code, _, err = run(monkeypatch, capsys, "evaluate", told["layer"], "--speaker", "anna")
    assert code == 2
    assert TASK.title in err
