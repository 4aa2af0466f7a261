"""The progress bar of a run: steps, time left, and the losses worth watching."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import lightning

from voxgraft.progress import progress

WATCHED = ("mel", "from_text", "kl", "ctc")


class Showing(lightning.Callback):
    """A bar on stderr."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._advance: Any = None

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Open the bar at the step that the run is at."""
        if trainer.is_global_zero:
            self._advance = self._stack.enter_context(progress("Training", module.steps - module.step))

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """One step on."""
        if self._advance is not None:
            note = "  ".join(f"{name} {module.terms[name]:.2f}" for name in WATCHED if name in module.terms)
            self._advance(1, note=note)

    def teardown(self, trainer: Any, module: Any, stage: str) -> None:
        """Close the bar."""
        self._stack.close()
