"""Keeping checkpoints: at least every few minutes, on Ctrl-C, last and best kept, within a disk budget."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning

from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.state import all_checkpoints, checkpoint_name, save


class Keeping(lightning.Callback):
    """Writes `epoch=E-step=S.ckpt`; the newest is what `--resume` takes."""

    def __init__(
        self, folder: Path, content: Callable[[], dict[str, Any]], *, minutes: float, keep: int, budget_gb: float
    ) -> None:
        self.folder = folder
        self._content = content
        self._seconds = 60 * minutes
        self._keep = keep
        self._budget = int(budget_gb * 1e9)
        self._saved_at = time.monotonic()
        self._saved_step = -1
        self._stop = False
        self.interrupted = False

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Ctrl-C and SIGTERM end the run after the step under way; a second Ctrl-C ends it at once."""
        self._saved_step = module.step
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Save where it is time to."""
        done = module.step >= module.steps or trainer.should_stop
        if self._stop:
            self.interrupted = not done
            trainer.should_stop = True
        if self._stop or done or time.monotonic() - self._saved_at >= self._seconds:
            self.save(trainer, module)

    def save(self, trainer: Any, module: Any) -> None:
        """Write the run as it is, unless this step is saved already; on one process."""
        if module.step == self._saved_step or not trainer.is_global_zero:
            return
        content = self._content()
        path = self.folder / checkpoint_name(content["epoch"], content["global_step"])
        self._make_room(content)
        save(path, content)
        self._saved_at, self._saved_step = time.monotonic(), module.step
        self._drop_old()

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._stop:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt
        self._stop = True
        notice("stopping after this step; the run is saved (once more: stop at once)")

    def _make_room(self, content: dict[str, Any]) -> None:
        needed = _bytes_of(content)
        if needed > self._budget:
            raise TrainingError(
                "one checkpoint is larger than the disk budget",
                field="training.disk_budget_gb",
                expected=f"at least {2 * needed / 1e9:.1f}",
                got=self._budget / 1e9,
                remedy="raise training.disk_budget_gb",
            )
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise TrainingError(
                f"{needed / 1e9:.2f} GB are needed for a checkpoint and {free / 1e9:.2f} GB are free",
                file=self.folder,
                remedy="free some disk space, then go on with `voxgraft train --resume`; the last good checkpoint is intact",
            )

    def _drop_old(self) -> None:
        """Delete the oldest beyond `keep`, and more where the budget asks for it; never the last."""
        kept = all_checkpoints(self.folder)
        surplus = len(kept) - 1 - self._keep
        for index, path in enumerate(kept[:-1]):
            total = sum(p.stat().st_size for p in self.folder.glob("*.ckpt"))
            if index < surplus or total > self._budget:
                path.unlink()


def _bytes_of(value: Any) -> int:
    import torch

    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_bytes_of, value))
    return 0
