"""CtcLearner: a recogniser's network, its optimiser, and the loss of one step.

Letters: B clips, T frames, S symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.progress import notice
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.ctc.examples import Batch, Example

BETAS = (0.9, 0.98)
EPSILON = 1e-8


class CtcLearner:
    """`network` gives logits of features; `groups` are its optimiser's, each with a rate and the step that it learns from."""

    def __init__(
        self,
        network: nn.Module,
        groups: Iterable[dict[str, Any]],
        examples: Sequence[Example],
        *,
        blank: int,
        ema: float,
        weight_decay: float,
        autocast: torch.dtype | None,
    ) -> None:
        self.network = network
        self.networks = {"": network}
        self.examples = examples
        self.blank = blank
        self.autocast = autocast
        self.average = WeightAverage(network, ema)
        self.groups = list(groups)
        self.optimisers = [
            torch.optim.AdamW(self.groups, betas=BETAS, eps=EPSILON, weight_decay=weight_decay, fused=True)
        ]
        self._told_short: set[int] = set()

    def begin_step(self, batch: Batch, position: Position, factor: float, processes: Processes) -> None:
        """Set the learning rates; layers whose time has not come hold still."""
        for group in self.optimisers[0].param_groups:
            learns = position.step >= group["from_step"]
            group["lr"] = group["rate"] * factor if learns else 0.0
            for parameter in group["params"]:
                parameter.requires_grad_(learns)
        hold_still(self.network)

    def losses(self, piece: Batch) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """CTC loss in nats over the labels of the whole step: the parts of a step add up to its loss."""
        loss = self.loss(piece)
        return [loss], {"ctc": loss.detach()}

    def loss(self, batch: Batch) -> torch.Tensor:
        """The batch's share of the step's loss, a scalar."""
        with torch.autocast(batch.features.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            logits = self.network(batch.features, batch.lengths)
        frames = output_frames(self.network, batch)
        self._tell_of_short(batch, frames)
        losses = ctc_losses(logits, frames, batch, self.blank)
        return losses.sum() / max(1, batch.total)

    def _tell_of_short(self, batch: Batch, frames: Sequence[int]) -> None:
        """CTC has no path where a clip's frames are fewer than its labels need: its loss, infinite, counts as nothing."""
        for clip, given in zip(batch.clips, frames, strict=True):
            example = self.examples[clip]
            if given < example.needed and clip not in self._told_short:
                self._told_short.add(clip)
                notice(
                    f"warning: {example.id} is too short for its transcript ({example.needed} frames are needed) and "
                    "teaches nothing in this step: look at its text, and at augmentation that shortens clips (tempo)"
                )

    def to(self, device: torch.device) -> None:
        """Move network and averages."""
        self.network.to(device)
        self.average.to(device)

    def state_dict(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimiser."""
        return {"average": self.average.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.average.load_state_dict(state["average"])


def hold_still(network: nn.Module) -> None:
    """Let normalisations over a batch go on counting only where they learn: what is frozen stays as it is."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.train(network.training and module.weight.requires_grad)


def output_frames(network: Any, batch: Batch) -> list[int]:
    """Frames of logits of each clip, from numbers that are at hand: asking a GPU for them would be a wait for all it does."""
    return [int(length) for length in network.output_lengths(torch.tensor(batch.frames))]


def ctc_losses(logits: torch.Tensor, frames: Sequence[int], batch: Batch, blank: int) -> torch.Tensor:
    """CTC loss of each clip [B], in nats, of logits [B, T, S], `frames` of them each; 0 where no path is long enough."""
    log_probs = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    return F.ctc_loss(
        log_probs,
        batch.labels,
        list(frames),
        list(batch.label_lengths),
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )
