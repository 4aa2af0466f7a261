"""A run's checkpoints on disk: written whole or not at all, and everything that a resume needs.

The layout is a Lightning checkpoint's, with the weights under Piper's names, so that `voxgraft` and Piper's own tools
open it like any other.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from voxgraft.checkpoints.containers.torch.unpickle import require_undamaged
from voxgraft.errors import CheckpointError, TrainingError
from voxgraft.files import replacing
from voxgraft.progress import notice
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.tasks.task import Training

GENERATOR = "model_g."
DISCRIMINATOR = "model_d."


def content_of(training: Training, validation: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a resume needs, in the layout of a Lightning checkpoint; tensors are the run's own, not copies."""
    own, position, learner = training.checkpoint(), training.position, training.learner
    state = {
        "task": training.config.task,
        "position": position.state_dict(),
        "validation": dict(validation),
        "corpus": training.corpus(),
        **learner.state_dict(),
        **own.pop("voxgraft_run"),
    }
    return {
        "epoch": training.epoch(position.step),
        "global_step": position.step,
        "pytorch-lightning_version": version("lightning"),
        "optimizer_states": [optimiser.state_dict() for optimiser in learner.optimisers],
        "lr_schedulers": [],
        "loops": {},
        "callbacks": {},
        **own,
        "voxgraft_run": state,
    }


def newest(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The last checkpoint and what it holds, or the one before where that can't be read; None in an empty folder.

    TrainingError where there are some and none can be read.
    """
    fault: TrainingError | None = None
    for path in reversed(checkpoints_in(folder)):
        try:
            return path, load(path)
        except TrainingError as found:
            notice(f"warning: {found.summary}")
            fault = fault or found
    if fault is not None:
        raise fault
    return None


def save(path: Path, content: Mapping[str, Any]) -> None:
    """torch.save, whole or not at all. TrainingError where the disk is full; what was there stays."""
    # Through Python's file: torch's own writer does not say why it failed.
    with full_disk_explained(path), replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(dict(content), file)


@contextmanager
def full_disk_explained(path: Path) -> Iterator[None]:
    """Where writing fails for want of room, say so, and that what was saved is intact."""
    try:
        yield
    except (OSError, RuntimeError) as fault:
        if not is_full(fault):
            raise
        raise TrainingError(
            "no space left on the disk",
            file=path,
            remedy="Free some, then go on with `voxgraft train --resume`: the last checkpoint is intact.",
        ) from fault


def load(path: Path) -> dict[str, Any]:
    """A checkpoint of ours, tensors only: no code in it can run."""
    try:
        # Mapped into memory, what torch loads is compared with no checksum.
        require_undamaged(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as fault:
        reason = (fault.problem if isinstance(fault, CheckpointError) else str(fault).strip()) or type(fault).__name__
        raise TrainingError(
            f"the checkpoint can't be read: {reason.splitlines()[0][:160]}",
            file=path,
            remedy="Put back a copy of it, or begin a new run under another name (--name).",
        ) from fault
    if not isinstance(content, dict) or "voxgraft_run" not in content:
        raise TrainingError(
            "not a checkpoint of a voxgraft run",
            file=path,
            remedy="Name it as `base` of a new run: only a run's own checkpoints can be gone on from.",
        )
    return content


def is_full(fault: BaseException) -> bool:
    """Whether an exception says, or was caused by one that says, that the disk is full; torch wraps the cause."""
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return True
        seen = seen.__cause__ or seen.__context__
    return "file write failed" in str(fault).lower()
