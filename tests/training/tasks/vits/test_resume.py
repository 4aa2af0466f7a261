import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tests.training.stopping import stop_before
from tests.training.tasks.vits.tiny_project import EVERYTHING_LEARNS, project

from voxgraft.config.load import with_overrides
from voxgraft.errors import GraftError, TrainingError
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.run import train
from voxgraft.training.tasks import kept_durations

LIVELY = {"learning_rates": EVERYTHING_LEARNS, "realign_every": 2, "discriminator_warmup": 2}


def same(left, right, where="checkpoint"):
    """Assert equality to the last bit of nested containers of tensors."""
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            same(left[key], right[key], f"{where}.{key}")
    elif isinstance(left, list | tuple):
        assert len(left) == len(right), where
        for index, pair in enumerate(zip(left, right, strict=True)):
            same(*pair, f"{where}.{index}")
    else:
        assert left == right, where


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def last(folder):
    return load(checkpoints_in(folder / "checkpoints")[-1])


def comparable(content):
    """The run's folders differ; nothing else may."""
    content["voxgraft_run"]["validation"]["best"].pop("exported")
    return content


@pytest.fixture
def _two_intervals(monkeypatch):
    """Clips are aligned again within these few steps."""
    monkeypatch.setattr(kept_durations, "FIRST_INTERVAL", 2)


@pytest.mark.usefixtures("without_export", "_two_intervals")
@pytest.mark.parametrize("rates", [EVERYTHING_LEARNS, EVERYTHING_LEARNS | {"text_encoder": 0, "duration": 0}])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path, monkeypatch, rates):
    whole = train(project(tmp_path / "whole", validate_every=2, **LIVELY | {"learning_rates": rates}))
    config = project(tmp_path / "stopped", validate_every=2, **LIVELY | {"learning_rates": rates})
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        stopped = train(config)
    assert (stopped.finished, stopped.step, whole.step) == (False, 3, 6)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    torch.manual_seed(99)
    resumed = train(config, resume=True)
    assert (resumed.finished, resumed.step) == (True, 6)
    same(comparable(last(whole.folder)), comparable(last(resumed.folder)))
    assert metrics(whole.folder) == metrics(resumed.folder)
    assert len(metrics(whole.folder)) == 6 + 3


@pytest.mark.usefixtures("without_export")
def test_the_comparison_would_see_a_difference(tmp_path):
    """Other seeds give other weights: what the test above finds equal is not equal by itself."""
    one = train(project(tmp_path / "one", steps=1, **LIVELY))
    other = train(with_overrides(project(tmp_path / "other", steps=1, **LIVELY), ["seed=1"]))
    with pytest.raises(AssertionError):
        same(last(one.folder)["state_dict"], last(other.folder)["state_dict"])


RUN = """
import json, sys, torch
torch.set_num_threads(1)
from voxgraft.config.run import RunConfig
from voxgraft.training.tasks.vits import export
from voxgraft.training.run import train
export.export_piper = lambda model, metadata, folder: folder / "voice.onnx"
train(RunConfig(**json.loads(sys.argv[1])), resume="resume" in sys.argv)
"""


def in_a_process(config, *arguments):
    command = [sys.executable, "-c", RUN, config.model_dump_json(exclude_unset=True), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def wait_for_checkpoint(folder, process):
    deadline = time.monotonic() + 240
    while not (folder / "checkpoints").exists() or not checkpoints_in(folder / "checkpoints"):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("without_export")
def test_after_kill_9_a_run_goes_on_from_its_last_checkpoint_to_the_same_end(tmp_path):
    often = {"checkpoint_minutes": 1e-6, "steps": 8, **LIVELY}
    whole = train(project(tmp_path / "whole", **often))
    config = project(tmp_path / "killed", **often)
    folder = tmp_path / "killed" / "runs" / "tiny"
    process = in_a_process(config)
    wait_for_checkpoint(folder, process)
    process.kill()
    process.wait()
    reached = last(folder)["global_step"]
    assert 0 < reached < 8
    resumed = train(config, resume=True)
    same(comparable(last(whole.folder)), comparable(last(resumed.folder)))
    assert metrics(whole.folder) == metrics(folder)
    assert not list(folder.rglob(".*.ckpt.*")), "the killed process was not writing"


def test_ctrl_c_saves_and_ends_without_a_traceback_and_the_run_goes_on(tmp_path):
    config = project(tmp_path, steps=400)
    folder = tmp_path / "runs" / "tiny"
    process = in_a_process(config)
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0
    assert "stopped at step" in said
    assert "--resume" in said
    assert "Traceback" not in said
    reached = last(folder)["global_step"]
    assert 0 < reached < 400
    process = in_a_process(config, "resume")
    while len(metrics(folder)) <= reached + 1:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert f"going on from {checkpoints_in(folder / 'checkpoints')[0].name}" in said
    assert last(folder)["global_step"] > reached


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    config = project(tmp_path, steps=400)
    folder = tmp_path / "runs" / "tiny"
    slow = RUN.replace("train(RunConfig", SLOW_STEP + "train(RunConfig")
    command = [sys.executable, "-c", slow, config.model_dump_json(exclude_unset=True)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (folder / "inside").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    while not (folder / "told").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=50)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said, "which the command line tells in a line"
    assert not checkpoints_in(folder / "checkpoints")


SLOW_STEP = """
import signal, time
from pathlib import Path
from voxgraft.training.loop import fit
def take_step(*_):
    folder = Path(json.loads(sys.argv[1])["output"]) / "runs" / "tiny"
    stop = signal.getsignal(signal.SIGINT)
    def told(*signal_and_frame):
        stop(*signal_and_frame)
        (folder / "told").touch()
    signal.signal(signal.SIGINT, told)
    (folder / "inside").touch()
    for _ in range(600):
        time.sleep(0.1)
fit.take_step = take_step
"""


@pytest.mark.usefixtures("without_export")
def test_a_damaged_last_checkpoint_is_passed_over_with_a_warning(tmp_path, monkeypatch, capsys):
    config = project(tmp_path, checkpoint_minutes=1e-6, **LIVELY)
    with monkeypatch.context() as patch:
        stop_before(patch, 2)
        stopped = train(config)
    kept = checkpoints_in(stopped.folder / "checkpoints")
    kept[-1].write_bytes(kept[-1].read_bytes()[:50_000])
    result = train(config, resume=True)
    said = capsys.readouterr().err
    assert f"warning: {kept[-1]}" in said
    assert f"going on from {kept[-2].name}" in said
    assert result.step == 6
    for path in checkpoints_in(result.folder / "checkpoints"):
        path.write_bytes(b"half")
    with pytest.raises(TrainingError, match="can't be read") as caught:
        train(config, resume=True)
    assert "epoch=3-step=6.ckpt" in caught.value.summary or "step=6.ckpt" in caught.value.summary
    assert caught.value.remedy


@pytest.mark.usefixtures("without_export")
def test_a_foreign_checkpoint_is_no_run(tmp_path):
    config = project(tmp_path, steps=1)
    folder = train(config).folder
    for path in checkpoints_in(folder / "checkpoints"):
        shutil.copy(Path(config.base), path)
    with pytest.raises(TrainingError, match="not a checkpoint of a voxgraft run"):
        train(config, resume=True)


@pytest.mark.usefixtures("without_export")
def test_what_exists_is_not_begun_again_and_what_does_not_is_not_resumed(tmp_path):
    config = project(tmp_path, steps=1)
    with pytest.raises(TrainingError, match="no such run"):
        train(config, resume=True)
    result = train(config)
    before = {path: path.read_bytes() for path in result.folder.rglob("*") if path.is_file()}
    with pytest.raises(TrainingError, match="a run of this name already") as caught:
        train(config)
    assert "--resume" in caught.value.remedy
    again = train(config, resume=True)
    assert (again.step, again.finished, again.best.step) == (1, True, 1)
    assert {path: path.read_bytes() for path in result.folder.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("without_export")
def test_a_run_killed_before_its_first_checkpoint_begins_again(tmp_path, capsys):
    config = project(tmp_path, steps=1)
    folder = train(config).folder
    for path in checkpoints_in(folder / "checkpoints"):
        path.unlink()
    assert train(config, resume=True).step == 1
    assert "begins again" in capsys.readouterr().err
    assert len(metrics(folder)) == 2


@pytest.mark.usefixtures("without_export")
def test_a_moved_project_goes_on_where_it_is_now_with_the_settings_it_had(tmp_path, monkeypatch, capsys):
    config = project(tmp_path / "here", **LIVELY)
    with monkeypatch.context() as patch:
        stop_before(patch, 1)
        train(config)
    shutil.move(tmp_path / "here", tmp_path / "there")
    shutil.copytree(tmp_path / "there" / "recordings", tmp_path / "here" / "recordings")
    result = train(with_overrides(config, [f"output={tmp_path / 'there'}"]), resume=True)
    assert result.folder == tmp_path / "there" / "runs" / "tiny"
    assert result.step == 6
    assert result.voice == tmp_path / "there" / "voices" / "tiny" / "voice.onnx", "where it is now"
    assert [p.name for p in (tmp_path / "here").iterdir()] == ["recordings"]


@pytest.mark.usefixtures("without_export")
def test_a_run_without_patience_left_is_done(tmp_path):
    config = project(
        tmp_path, steps=20, validate_every=1, patience=2, learning_rates=dict.fromkeys(EVERYTHING_LEARNS, 1e-12), ema=0
    )
    result = train(config)
    assert result.finished
    assert result.step < 20
    again = train(config, resume=True)
    assert (again.step, again.finished, again.best) == (result.step, True, result.best)


@pytest.mark.usefixtures("without_export")
def test_the_last_line_of_metrics_may_be_cut_short(tmp_path, monkeypatch):
    config = project(tmp_path)
    with monkeypatch.context() as patch:
        stop_before(patch, 1)
        folder = train(config).folder
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('{"step": 3, "kind": "train"}\n{"step": 4, "ki')
    train(config, resume=True)
    assert [line["step"] for line in metrics(folder) if line["kind"] == "train"] == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("without_export")
def test_a_recording_that_was_replaced_is_refused_and_put_back_goes_on(tmp_path, monkeypatch):
    config = project(tmp_path, steps=2)
    with monkeypatch.context() as patch:
        stop_before(patch, 0)
        train(config)
    recording = tmp_path / "recordings" / "wavs" / "3.wav"
    own, other = recording.read_bytes(), (tmp_path / "recordings" / "wavs" / "4.wav").read_bytes()
    recording.write_bytes(other)
    with pytest.raises(TrainingError, match="1 with another recording") as caught:
        train(config, resume=True)
    assert "Put them back" in caught.value.remedy
    recording.write_bytes(own)
    assert train(config, resume=True).finished


@pytest.mark.usefixtures("without_export")
def test_a_finished_run_takes_more_steps(tmp_path):
    config = project(tmp_path, steps=2)
    assert train(config).step == 2
    longer = train(with_overrides(config, ["training.steps=4"]), resume=True)
    assert (longer.finished, longer.step, longer.steps) == (True, 4, 4)
    assert [line["step"] for line in metrics(longer.folder) if line["kind"] == "train"] == [1, 2, 3, 4]
    again = train(config, resume=True)
    assert again.step == 4, "what was obeyed once stays"
    with pytest.raises(TrainingError, match="seed"):
        train(with_overrides(config, ["seed=5"]), resume=True)


@pytest.mark.usefixtures("without_export")
def test_two_programs_do_not_train_one_run(tmp_path):
    from filelock import FileLock

    config = project(tmp_path, steps=1)
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"), pytest.raises(TrainingError, match="another program is training this run"):
        train(config)
    assert train(config).finished


def test_the_voice_is_trained_on_its_bases_own_spectrogram(tmp_path):
    """A base that says another window is not taken for one of 1024 samples."""
    from voxgraft.training.tasks.vits.setup import begin

    config = project(tmp_path, discriminator="none")
    content = torch.load(config.base, weights_only=False)
    content["hyper_parameters"]["win_length"] = 512
    torch.save(content, config.base)
    ready = begin(config)
    assert ready.data.spec.win == ready.learner.spec.win == 512
    content["hyper_parameters"]["hop_length"] = 128
    torch.save(content, config.base)
    with pytest.raises(GraftError, match="one every 128"):
        begin(config)
