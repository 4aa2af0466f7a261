"""Terms of past steps that still lie on the device: read together, so that a GPU is not waited for at each step."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.loop.learner import Position

READ_EVERY = {"cpu": 1, "cuda": 10, "mps": 10}
# Steps in a row without a finite gradient, after which nothing can be hoped for.
MOST_SKIPPED = 10


class PendingTerms:
    """Steps whose terms are still to be read, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, float, Mapping[str, torch.Tensor]]] = []

    def add(self, step: int, learning_rate: float, terms: Mapping[str, torch.Tensor]) -> None:
        """Of a step that was just taken."""
        self._waiting.append((step, learning_rate, terms))

    def due(self, device: torch.device) -> bool:
        """Whether it is time to read them."""
        return len(self._waiting) >= READ_EVERY.get(device.type, 1)

    def read(self) -> list[tuple[int, dict[str, float]]]:
        """Each step with its values; waits for the device once."""
        if not self._waiting:
            return []
        values = iter(torch.stack([v.detach() for _, _, terms in self._waiting for v in terms.values()]).tolist())
        found = [
            (step, {name: next(values) for name in terms} | {"learning_rate": rate})
            for step, rate, terms in self._waiting
        ]
        self._waiting.clear()
        return found


def notice_left_out(step: int, values: dict[str, float], position: Position, rates: str) -> None:
    """Say that a step was left out. TrainingError where so many were in a row that nothing can be hoped for.

    `rates` is the setting that holds the task's learning rates.
    """
    if not values.pop("left_out"):
        position.skipped = 0
        return
    position.skipped += 1
    notice(f"step {step} is left out: its gradients are not finite numbers")
    if position.skipped >= MOST_SKIPPED:
        raise TrainingError(
            f"the training has diverged: the gradients of {position.skipped} steps in a row are not finite numbers",
            field=rates,
            remedy="Set lower learning rates, or training.precision=fp32, and begin the run again under another name (--name).",
        )
