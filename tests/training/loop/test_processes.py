"""Processes that train together give what one gives; what ends one ends all, with its own words."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from tests.training.tasks.vits.tiny_project import project

from voxgraft.config.load import dump_config
from voxgraft.config.run import TrainingConfig
from voxgraft.errors import TrainingError
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.loop.device import choose_batch
from voxgraft.training.loop.processes import Processes, counts, launch
from voxgraft.training.loop.stop_request import StopRequest
from voxgraft.training.run import train

COMMAND = """
import sys, torch
torch.set_num_threads(1)
from voxgraft.cli.main import main
main()
"""


def command(tmp_path, *arguments):
    """Runs as `voxgraft ARGUMENTS`, in a file of its own: Fabric starts the others by running it again."""
    script = tmp_path / "run.py"
    script.write_text(COMMAND)
    return [sys.executable, str(script), *arguments]


def clean_environment(**changes):
    launched = ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "RANK", "GROUP_RANK")
    kept = {name: value for name, value in os.environ.items() if name not in launched}
    return kept | {"OMP_NUM_THREADS": "1"} | changes


def trained(tmp_path, *command_line, environment=None, config=None):
    """(what was printed as JSON, what was said) by a training of a project in its folder."""
    dump_config(config, tmp_path / "voxgraft.yaml")
    done = subprocess.run(
        [*command_line, "train", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        env=environment or clean_environment(),
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def last(folder):
    return load(checkpoints_in(folder / "checkpoints")[-1])


def after(folder, step):
    (path,) = (folder / "checkpoints").glob(f"*step={step}.ckpt")
    return load(path)


EVERY_STEP = {"checkpoint_minutes": 1e-9, "keep": 9}
ALIKE = {
    "steps": 3,
    "batch": 3,
    "discriminator_warmup": 1,
    "realign_every": 2,
    "warmup": 0,
    "decay": "none",
    **EVERY_STEP,
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of the run that one process makes."""
    folder = tmp_path_factory.mktemp("alone")
    home = pytest.MonkeyPatch()
    home.setenv("VOXGRAFT_HOME", str(folder / "home"))
    try:
        result = train(project(folder, **ALIKE))
    finally:
        home.undo()
    return result.folder


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def assert_alike(folder, alone, step, of_gradients, of_weights):
    """Gradients (the first moments of the optimisers) and weights, by the size of the difference over that of all of them.

    Sums in another order differ by float32's rounding; AdamW, which divides by a gradient's own size, makes more of it where
    a gradient is small, and more with every step.
    """
    found, expected = after(folder, step), after(alone, step)
    states = [[s for o in content["optimizer_states"] for s in o["state"].values()] for content in (found, expected)]
    assert {int(state["step"]) for state in states[0] + states[1]} == {step}
    moments = ([state["exp_avg"] for state in one] for one in states)
    assert difference(*moments) < of_gradients
    weights = [content["state_dict"] for content in (found, expected)]
    assert weights[0].keys() == weights[1].keys()
    assert difference(*([one[name] for name in weights[0]] for one in weights)) < of_weights
    kept, others = (content["voxgraft_run"]["alignments"] for content in (expected, found))
    assert all(torch.equal(kept[name], others[name]) for name in kept), "each process aligned a part, both know all"


def difference(found, expected):
    """The norm of the difference of two lists of tensors over the norm of the second."""
    one, other = (torch.cat([tensor.double().flatten() for tensor in tensors]) for tensors in (found, expected))
    return float((one - other).norm() / other.norm())


def test_two_processes_take_the_steps_of_one(tmp_path, alone):
    """Three clips a step: one process has one of them, the other two."""
    told, said = trained(tmp_path, *command(tmp_path), config=project(tmp_path, devices=2, **ALIKE))
    folder = tmp_path / "runs" / "tiny"
    assert (told["step"], told["steps"], told["finished"], told["best"]["step"]) == (3, 3, True, 3)
    assert os.path.exists(told["voice"])
    assert_alike(folder, alone, 1, 5e-6, 1e-6)
    assert_alike(folder, alone, 3, 5e-5, 1e-6)
    for line, other in zip(metrics(alone), metrics(folder), strict=True):
        for name in line.keys() - {"seconds", "kind"}:
            assert other[name] == pytest.approx(line[name], rel=1e-3, abs=1e-4), name
    assert said.count("graft plan") == said.count("step 3: ") == 1, "one process speaks"
    assert not list(folder.glob("failed*"))


@pytest.mark.slow
def test_torchrun_starts_them_too(tmp_path, alone):
    script = command(tmp_path)[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    told, _ = trained(tmp_path, *torchrun, config=project(tmp_path, **ALIKE))
    assert told["step"] == 3
    assert_alike(tmp_path / "runs" / "tiny", alone, 1, 5e-6, 1e-6)


@pytest.mark.slow
def test_what_ends_one_process_ends_all_with_its_own_words(tmp_path):
    dump_config(project(tmp_path, devices=2, **ALIKE), tmp_path / "voxgraft.yaml")
    script = command(tmp_path, "train", str(tmp_path))
    fault = """
import os
from voxgraft.errors import TrainingError
from voxgraft.training.loop import fit
original = fit.take_step
def take_step(learner, batch, settings, position, seed, processes):
    if processes.rank == 1 and position.step == 1:
        raise TrainingError("the second has had enough", remedy="Let it rest.")
    return original(learner, batch, settings, position, seed, processes)
fit.take_step = take_step
"""
    (tmp_path / "run.py").write_text(COMMAND.replace("main()\n", fault + "main()\n"))
    began = time.monotonic()
    done = subprocess.run(script, capture_output=True, text=True, env=clean_environment(), timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "error: process 1: the second has had enough" in done.stderr
    assert "Let it rest." in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 100


@pytest.mark.slow
def test_what_the_first_can_not_prepare_is_said_once(tmp_path):
    dump_config(project(tmp_path, devices=2, disk_budget_gb=1e-6), tmp_path / "voxgraft.yaml")
    done = subprocess.run(
        command(tmp_path, "train", str(tmp_path)),
        capture_output=True, text=True, env=clean_environment(), timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("training.disk_budget_gb") >= 1
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_all_processes_at_the_same_step_and_saves(tmp_path):
    dump_config(project(tmp_path, devices=2, steps=400), tmp_path / "voxgraft.yaml")
    folder = tmp_path / "runs" / "tiny"
    process = subprocess.Popen(
        command(tmp_path, "train", str(tmp_path), "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(), start_new_session=True,
    )  # fmt: skip
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert said.count("stopped at step") == 1
    told = json.loads(out)
    assert told["finished"] is False
    assert 0 < told["step"] < 400
    assert last(folder)["global_step"] == told["step"]


def test_more_processes_than_clips_is_an_error_before_anything_starts(started):
    settings = started().config.training.model_copy(update={"devices": 4, "batch": 3})
    with pytest.raises(TrainingError, match=r"training\.devices"):
        choose_batch(settings, 8, "cpu")
    assert choose_batch(settings.model_copy(update={"batch": 30}), 8, "cpu") == 8


def test_torchrun_and_slurm_say_how_many_there_are(monkeypatch):
    assert counts(TrainingConfig(devices=2, nodes=3)) == (2, 3)
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_NNODES", "2")
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    assert counts(TrainingConfig()) == (4, 2)
    with pytest.raises(TrainingError, match=r"training\.devices: 4 were started"):
        counts(TrainingConfig(devices=2))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "6")
    assert counts(TrainingConfig(devices=2)) == (2, 3)


def test_machines_that_do_not_know_where_to_meet_are_an_error_at_once(monkeypatch):
    """Else each would wait for the others, at a port that it drew by itself."""
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    with pytest.raises(TrainingError, match=r"training\.nodes: .*MASTER_PORT and NODE_RANK"):
        launch(TrainingConfig(nodes=2))
    monkeypatch.setenv("MASTER_PORT", "29500")
    for rank in ("2", "-1", "first"):
        monkeypatch.setenv("NODE_RANK", rank)
        with pytest.raises(TrainingError, match="NODE_RANK is none of the machines"):
            launch(TrainingConfig(nodes=2))


def test_a_signal_only_sets_a_flag_and_handlers_come_back_whatever_happens():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked
        assert signal.getsignal(signal.SIGTERM) is before, "a second one ends at once"
    with pytest.raises(KeyError), StopRequest():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is before


def test_one_process_alone_sums_and_gathers_what_it_has():
    value = torch.ones(2)
    alone = Processes()
    alone.sum([value])
    assert value.tolist() == [1.0, 1.0]
    assert (alone.gather(3), alone.broadcast(4), alone.any(True), alone.is_first) == ([3], 4, True, True)
