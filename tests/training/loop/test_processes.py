import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from tests.training.tasks.vits.tiny_project import project

from voxgraft.errors import TrainingError
from voxgraft.training.loop.checkpoints import all_checkpoints, load
from voxgraft.training.loop.device import choose_batch
from voxgraft.training.loop.processes import signals_handled, sum_over_processes
from voxgraft.training.run import train


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def last(result):
    return load(all_checkpoints(result.folder / "checkpoints")[-1])


def files(result):
    return {str(path.relative_to(result.folder)) for path in result.folder.rglob("*") if path.is_file()}


def test_two_processes_take_the_steps_of_one(tmp_path, capsys):
    """Three clips a step: one process has one of them, the other two."""
    alike = {"steps": 3, "batch": 3, "discriminator_warmup": 1, "realign_every": 2, "warmup": 0, "decay": "none"}
    one = train(project(tmp_path / "one", **alike))
    two = train(project(tmp_path / "two", devices=2, **alike))
    assert (two.step, two.steps, two.finished, two.best.step) == (3, 3, True, 3)
    assert two.voice.exists()
    expected, found = last(one), last(two)
    for of_one, of_two in zip(expected["optimizer_states"], found["optimizer_states"], strict=True):
        for key, state in of_one["state"].items():
            # The first moment: gradients of three steps.
            largest = float(state["exp_avg"].abs().max())
            torch.testing.assert_close(
                of_two["state"][key]["exp_avg"], state["exp_avg"], rtol=1e-3, atol=1e-4 * largest
            )
            assert of_two["state"][key]["step"] == state["step"] == 3
    for name, weights in expected["state_dict"].items():
        torch.testing.assert_close(found["state_dict"][name], weights, rtol=1e-5, atol=1e-5)
    kept, of_two = (content["voxgraft_run"]["alignments"] for content in (expected, found))
    assert all(torch.equal(kept[name], of_two[name]) for name in kept), "each process aligned a part, both know all"
    lines = [[json.loads(x) for x in (r.folder / "metrics.jsonl").read_text().splitlines()] for r in (one, two)]
    for line, other in zip(*lines, strict=True):
        for name in line.keys() - {"seconds", "kind"}:
            assert other[name] == pytest.approx(line[name], rel=1e-3, abs=1e-4), name
    only_one_wrote = {name for name in files(two) if "tensorboard" not in name}
    assert only_one_wrote - files(one) == {"process-1.log", "checkpoints/epoch=0-step=0.ckpt"}
    assert sum("tensorboard" in name for name in files(two)) == 1
    assert capsys.readouterr().out == ""


def test_what_ends_one_process_ends_all_with_its_own_words(tmp_path):
    began = time.monotonic()
    with pytest.raises(TrainingError) as caught:
        train(project(tmp_path, devices=2, disk_budget_gb=1e-6))
    assert "training.disk_budget_gb" in caught.value.summary
    assert "raise training.disk_budget_gb" in caught.value.remedy
    assert time.monotonic() - began < 90


COMMAND = "import torch; torch.set_num_threads(1); from voxgraft.cli.main import main; main()"


def test_ctrl_c_stops_all_processes_at_the_same_step_and_saves(tmp_path):
    from voxgraft.config.load import dump_config

    dump_config(project(tmp_path, devices=2, steps=400), tmp_path / "voxgraft.yaml")
    folder = tmp_path / "runs" / "tiny"
    command = [sys.executable, "-c", COMMAND, "train", str(tmp_path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said + (folder / "process-1.log").read_text()
    assert said.count("stopped at step") == 1
    told = json.loads(out)
    assert told["finished"] is False
    assert 0 < told["step"] < 400
    assert load(all_checkpoints(folder / "checkpoints")[-1])["global_step"] == told["step"]


def test_more_processes_than_clips_is_an_error_before_anything_starts(started):
    settings = started().config.training.model_copy(update={"devices": 4, "batch": 3})
    with pytest.raises(TrainingError, match=r"training\.devices"):
        choose_batch(settings, 8, "cpu")
    assert choose_batch(settings.model_copy(update={"batch": 30}), 8, "cpu") == 8


def test_handlers_come_back_whatever_happens():
    before = signal.getsignal(signal.SIGINT)
    calls = []

    def killed_and_faulty():
        with signals_handled(lambda number, _: calls.append(number)):
            os.kill(os.getpid(), signal.SIGTERM)
            raise KeyError

    with pytest.raises(KeyError):
        killed_and_faulty()
    assert calls == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is before


def test_one_process_alone_sums_nothing():
    value = torch.ones(2)
    sum_over_processes([value])
    assert value.tolist() == [1.0, 1.0]
