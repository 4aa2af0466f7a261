"""Checkpoints while a run goes on: every few minutes, when the run is stopped, and at its end, within a budget of disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from voxgraft.config.run import TrainingConfig
from voxgraft.errors import TrainingError
from voxgraft.files import sweep
from voxgraft.project.run_folder import checkpoint_name, checkpoints_in
from voxgraft.training.loop.checkpoints import save


class Checkpointing:
    """Writes `epoch=E-step=S.ckpt`; the newest is what `--resume` takes. `content` gives what is to be written."""

    def __init__(self, folder: Path, content: Callable[[], Mapping[str, Any]], settings: TrainingConfig) -> None:
        self._folder = folder
        self._content = content
        self._seconds = 60 * settings.checkpoint_minutes
        self._keep = settings.keep
        self._budget = int(settings.disk_budget_gb * 1e9)
        self._saved_at = time.monotonic()
        self._saved_step = -1

    def begin(self, step: int, optimisers: Iterable[Optimizer]) -> None:
        """See to the disk before hours of work: what killed writes left goes, and a checkpoint must fit."""
        sweep(self._folder)
        sweep(self._folder.parent / "best")
        self._saved_step = step
        # The optimisers' two moments of each weight come with the first step.
        parameters = [p for o in optimisers if not o.state for group in o.param_groups for p in group["params"]]
        self._make_room(_bytes_of(self._content()) + 2 * _bytes_of(parameters))

    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._saved_at >= self._seconds

    def save(self, step: int) -> bool:
        """Write the run as it is, unless this step is saved already; says whether it did."""
        if step == self._saved_step:
            return False
        content = self._content()
        path = self._folder / checkpoint_name(content["epoch"], content["global_step"])
        self._make_room(_bytes_of(content))
        save(path, content)
        self._saved_at, self._saved_step = time.monotonic(), step
        self._drop_old()
        return True

    def _make_room(self, needed: int) -> None:
        """Delete old checkpoints, never the last one, until one more is within the budget and on the disk."""
        kept = checkpoints_in(self._folder)
        while len(kept) > 1 and self._spent() + needed > self._budget:
            kept.pop(0).unlink()
        # The last one stays until the next is whole: from then on there are always two.
        most = self._spent() + (needed if kept else 2 * needed)
        if most > self._budget:
            raise TrainingError(
                "too small for the last checkpoint, the next one and the best voice",
                field="training.disk_budget_gb",
                expected=f"at least {most / 1e9:.3g}",
                got=f"{self._budget / 1e9:.3g}",
                remedy="Raise training.disk_budget_gb.",
            )
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise TrainingError(
                f"{needed / 1e9:.2f} GB are needed for a checkpoint and {free / 1e9:.2f} GB are free",
                file=self._folder,
                remedy="Free some disk space, then go on with `voxgraft train --resume`. What was saved is intact.",
            )

    def _drop_old(self) -> None:
        """Delete the oldest beyond `keep` besides the last."""
        for path in checkpoints_in(self._folder)[: -1 - self._keep]:
            path.unlink()

    def _spent(self) -> int:
        """Bytes of all checkpoints of the run, the best weights included."""
        folders = (self._folder, self._folder.parent / "best")
        return sum(path.stat().st_size for folder in folders if folder.is_dir() for path in folder.iterdir())


def _bytes_of(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_bytes_of, value))
    return 0
