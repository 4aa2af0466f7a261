"""A run's checkpoints on disk: written whole or not at all, and everything that a resume needs.

The layout is a Lightning checkpoint's, with the weights under Piper's names, so that `voxgraft` and Piper's own tools
open it like any other.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from voxgraft.errors import TrainingError
from voxgraft.files import replacing

NAME = re.compile(r"epoch=(\d+)-step=(\d+)\.ckpt")
GENERATOR = "model_g."
DISCRIMINATOR = "model_d."


def checkpoint_name(epoch: int, step: int) -> str:
    """`epoch=E-step=S.ckpt`."""
    return f"epoch={epoch}-step={step}.ckpt"


def step_of(path: Path) -> int:
    """The step in a checkpoint's name; -1 for another file."""
    match = NAME.fullmatch(path.name)
    return int(match[2]) if match else -1


def all_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints of a folder, oldest step first; half-written files have other names."""
    return sorted((path for path in folder.glob("*.ckpt") if step_of(path) >= 0), key=step_of)


def save(path: Path, content: Mapping[str, Any]) -> None:
    """torch.save, whole or not at all. TrainingError where the disk is full; what was there stays."""
    try:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            torch.save(dict(content), file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as fault:
        if isinstance(fault, RuntimeError) and not is_full(fault):
            raise
        raise TrainingError(
            f"the checkpoint can't be written: {_reason(fault)}",
            file=path,
            remedy="free some disk space, then go on with `voxgraft train --resume`; the last good checkpoint is intact",
        ) from fault


def load(path: Path) -> dict[str, Any]:
    """A checkpoint of ours, tensors only: no code in it can run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as fault:
        raise TrainingError(
            f"the checkpoint can't be read: {str(fault).splitlines()[0][:160]}",
            file=path,
            remedy="delete it to go on from the one before",
        ) from fault
    if not isinstance(content, dict) or "voxgraft_run" not in content:
        raise TrainingError(
            "not a checkpoint of a voxgraft run",
            file=path,
            remedy="to start from another system's checkpoint name it as `base`; resuming is for the same run",
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


def _reason(fault: BaseException) -> str:
    if is_full(fault):
        return "no space left on the disk"
    return str(fault).splitlines()[0][:160] if str(fault) else type(fault).__name__
