"""Keeping checkpoints: at least every few minutes, on Ctrl-C, last and best kept, within a disk budget."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning

from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.loop.checkpoints import all_checkpoints, checkpoint_name, save


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
        self._asked_to_stop = False
        self.interrupted = False

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Ctrl-C and SIGTERM end the run after the step under way, a second Ctrl-C at once; see to the disk before hours of work."""
        self._saved_step = module.step
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._on_signal)
        if trainer.is_global_zero:
            # The optimisers' two moments of each weight come with the first step.
            moments = 2 * sum(_bytes_of(group["params"]) for group in _groups(trainer))
            self._make_room(_bytes_of(self._content()) + moments)

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Save where it is time to."""
        done = module.step >= module.steps or trainer.should_stop
        asked = trainer.strategy.reduce_boolean_decision(self._asked_to_stop, all=False)
        if asked:
            self.interrupted = not done
            trainer.should_stop = True
        if asked or done or time.monotonic() - self._saved_at >= self._seconds:
            self.save(trainer, module)

    def save(self, trainer: Any, module: Any) -> None:
        """Write the run as it is, unless this step is saved already; on one process."""
        if module.step == self._saved_step or not trainer.is_global_zero:
            return
        content = self._content()
        path = self.folder / checkpoint_name(content["epoch"], content["global_step"])
        self._make_room(_bytes_of(content))
        save(path, content)
        self._saved_at, self._saved_step = time.monotonic(), module.step
        self._drop_old()

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._asked_to_stop:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt
        self._asked_to_stop = True
        notice("stopping after this step; the run is saved (once more: stop at once)")

    def _make_room(self, needed: int) -> None:
        """Delete old checkpoints, never the last one, until one more is within the budget and on the disk."""
        kept = all_checkpoints(self.folder)
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
                remedy="raise training.disk_budget_gb",
            )
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise TrainingError(
                f"{needed / 1e9:.2f} GB are needed for a checkpoint and {free / 1e9:.2f} GB are free",
                file=self.folder,
                remedy="free some disk space, then go on with `voxgraft train --resume`; what was saved is intact",
            )

    def _drop_old(self) -> None:
        """Delete the oldest beyond `keep` besides the last."""
        for path in all_checkpoints(self.folder)[: -1 - self._keep]:
            path.unlink()

    def _spent(self) -> int:
        """Bytes of all checkpoints of the run, the best weights included."""
        return sum(path.stat().st_size for path in self.folder.parent.rglob("*.ckpt"))


def _groups(trainer: Any) -> Iterator[dict[str, Any]]:
    return (group for optimiser in trainer.optimizers for group in optimiser.param_groups)


def _bytes_of(value: Any) -> int:
    import torch

    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_bytes_of, value))
    return 0
