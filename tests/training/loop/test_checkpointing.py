import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest
import torch

from voxgraft.config.run import TrainingConfig
from voxgraft.errors import TrainingError
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpointing import Checkpointing
from voxgraft.training.loop.checkpoints import full_disk_explained, load, newest, save

MEGABYTE = 250_000


class Run:
    """A run whose checkpoints hold one megabyte each."""

    def __init__(self, folder, *, budget=1.0, keep=2):
        self.step = 0
        self.folder = folder / "checkpoints"
        self.folder.mkdir(exist_ok=True)
        settings = TrainingConfig(checkpoint_minutes=1, keep=keep, disk_budget_gb=budget)
        self.checkpointing = Checkpointing(self.folder, self.content, settings)

    def content(self):
        weights = torch.full((MEGABYTE,), float(self.step))
        return {"epoch": 0, "global_step": self.step, "weights": weights, "voxgraft_run": {}}

    def save(self, *steps):
        for step in steps:
            self.step = step
            self.checkpointing.save(step)

    @property
    def kept(self):
        return [load(path)["global_step"] for path in checkpoints_in(self.folder)]


def test_the_last_and_as_many_as_asked_for_besides_are_kept(tmp_path):
    run = Run(tmp_path, keep=2)
    run.save(5, 10, 100, 101, 102)
    assert run.kept == [100, 101, 102], "ordered by number, not by name"


def test_the_budget_is_obeyed_at_every_moment_and_counts_the_best(tmp_path, monkeypatch):
    run = Run(tmp_path, budget=0.0035, keep=9)
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "epoch=0-step=1.ckpt").write_bytes(bytes(1_000_000))
    most = []
    original = torch.save

    def watched(content, path):
        original(content, path)
        most.append(sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()))

    monkeypatch.setattr(torch, "save", watched)
    run.save(1, 2, 3, 4)
    assert run.kept == [3, 4]
    assert max(most) <= 3_500_000
    assert (tmp_path / "best" / "epoch=0-step=1.ckpt").exists()


def test_the_last_is_never_deleted_for_the_next(tmp_path):
    roomy = Run(tmp_path)
    roomy.save(1)
    tight = Run(tmp_path, budget=0.0015)
    with pytest.raises(TrainingError, match=r"training\.disk_budget_gb") as caught:
        tight.save(2)
    assert "expected at least" in caught.value.summary
    assert tight.kept == [1]


def test_a_budget_for_one_checkpoint_is_refused_before_the_first_step(tmp_path):
    run = Run(tmp_path, budget=0.0015)
    with pytest.raises(TrainingError, match="too small for the last checkpoint, the next one"):
        run.save(1)
    assert run.kept == []


def test_a_full_disk_is_seen_before_writing(tmp_path, monkeypatch):
    run = Run(tmp_path)
    run.save(1)
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(TrainingError, match=r"0\.00 GB are free") as caught:
        run.save(2)
    assert "--resume" in caught.value.remedy
    assert run.kept == [1]


@pytest.mark.parametrize("wrapped", [False, True], ids=["OSError", "torch's RuntimeError"])
def test_a_disk_that_fills_up_while_writing_leaves_the_last_good_one_and_nothing_else(tmp_path, monkeypatch, wrapped):
    run = Run(tmp_path)
    run.save(1)

    def half(content, file):
        file.write(b"PK half")
        full = OSError(errno.ENOSPC, "No space left on device")
        if wrapped:
            raise RuntimeError("[enforce fail at inline_container.cc:668] . unexpected pos 64 vs 0") from full
        raise full

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(TrainingError, match="no space left on the disk") as caught:
        run.save(2)
    assert "the last checkpoint is intact" in caught.value.remedy
    assert run.kept == [1]
    assert [p.name for p in run.folder.iterdir()] == ["epoch=0-step=1.ckpt"]


LIMITED = """
import resource, signal, sys, torch
from pathlib import Path
from voxgraft.errors import TrainingError
from voxgraft.training.loop.checkpoints import save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    save(Path(sys.argv[1]), {"weights": torch.zeros(1_000_000)})
except TrainingError as fault:
    sys.exit(fault.summary)
"""


def test_a_write_that_the_system_cuts_short_is_one_clear_error(tmp_path):
    path = tmp_path / "epoch=0-step=3.ckpt"
    save(path, {"weights": torch.ones(3)})
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == [path.name]
    assert torch.load(path, weights_only=True)["weights"].tolist() == [1, 1, 1]


def test_only_a_full_disk_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError), full_disk_explained(tmp_path):
        open(tmp_path / "absent")  # noqa: SIM115
    with pytest.raises(RuntimeError, match="shapes"), full_disk_explained(tmp_path):
        raise RuntimeError("shapes")


def test_nothing_is_written_twice_for_one_step(tmp_path):
    run = Run(tmp_path)
    run.save(3)
    before = checkpoints_in(run.folder)[0].stat().st_mtime_ns
    run.save(3)
    assert checkpoints_in(run.folder)[0].stat().st_mtime_ns == before


def test_it_is_saved_after_so_many_minutes(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("voxgraft.training.loop.checkpointing.time.monotonic", lambda: clock[0])
    run = Run(tmp_path)
    for step, clock[0] in enumerate((20.0, 59.0, 61.0, 100.0, 122.0), 1):
        if run.checkpointing.due():
            run.save(step)
    assert run.kept == [3, 5]


def test_an_empty_folder_has_no_newest_and_other_files_are_no_checkpoints(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"")
    (tmp_path / ".epoch=0-step=9.ckpt.x1").write_bytes(b"")
    assert newest(tmp_path) is None
    assert newest(tmp_path / "absent") is None


class Gadget:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_a_checkpoint_with_code_in_it_runs_none(tmp_path):
    path = tmp_path / "epoch=0-step=1.ckpt"
    trace = tmp_path / "was-here"
    torch.save({"voxgraft_run": Gadget(trace)}, path)
    with pytest.raises(TrainingError, match="can't be read"):
        load(path)
    assert not trace.exists()


def test_a_fault_without_words_is_told_by_its_kind(tmp_path, monkeypatch):
    def silent(*_, **__):
        raise EOFError

    monkeypatch.setattr(torch, "load", silent)
    path = tmp_path / "epoch=0-step=1.ckpt"
    path.write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="can't be read: EOFError"):
        load(path)
