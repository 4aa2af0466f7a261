"""Learner: what the loop steps, whatever it learns; and Position, where it is in its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.processes import Processes


class Batch(Protocol):
    """Clips of one step. What the loop asks of any task's."""

    def __len__(self) -> int: ...

    def part(self, begin: int, end: int) -> Any:
        """Clips begin to end alone."""

    def pin_memory(self) -> Any:
        """The same in page-locked memory, from which copies to a GPU need no waiting; the loader calls it."""

    def to(self, device: torch.device) -> Any:
        """The same on another device."""


@dataclass
class Position:
    """Where a run is: `step` of `steps` done. Batches are computed in so many `pieces`; `rate_scale` is what plateaus have
    multiplied the learning rates by; `skipped` counts the last steps in a row whose gradients were not finite numbers."""

    steps: int
    step: int = 0
    pieces: int = 1
    rate_scale: float = 1.0
    skipped: int = 0

    def state_dict(self) -> dict[str, Any]:
        """For the run's checkpoint."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave; the length of the run is the settings'."""
        self.step, self.pieces = state["step"], state["pieces"]
        self.rate_scale, self.skipped = state.get("rate_scale", 1.0), state.get("skipped", 0)


class Learner(Protocol):
    """Networks and optimisers of one task.

    `networks` are clipped each by itself, by the prefix of their gradient norm's name; `network` is the one that is
    validated and kept, `average` its averaged weights. A step is left out as a whole where a gradient is no finite number.
    """

    networks: Mapping[str, nn.Module]
    optimisers: Sequence[Optimizer]
    average: WeightAverage

    @property
    def network(self) -> nn.Module:
        """What is validated and kept."""

    def begin_step(self, batch: Any, position: Position, factor: float, processes: Processes) -> None:
        """Set the learning rates, each times `factor`, and see to what the losses of the whole batch need."""

    def losses(self, piece: Any) -> tuple[Sequence[torch.Tensor], dict[str, torch.Tensor]]:
        """What to go backward from, each to weights of its own, and the terms to log, detached or not.

        Both are shares of the whole step's: those of all pieces, of all processes, add up to it.
        """

    def to(self, device: torch.device) -> None:
        """Move networks, averages and the optimisers' state."""

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs besides weights, optimisers and position."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
