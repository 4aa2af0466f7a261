"""AcousticLearner: a text-to-spec network, its optimiser, and the losses of one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.acoustic.batches import Batch
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily, Progress
from voxgraft.training.tasks.acoustic.phase import LossSchedule
from voxgraft.training.tasks.kept_durations import KeptDurations

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class AcousticLearner:
    """`network` is of `family`; `groups` are its optimiser's, each with a rate. `weights` are those of the losses.

    Alignments of the `clips` clips are found before a step and kept between steps: a search on the CPU that a GPU would
    have to be waited for.
    """

    def __init__(
        self,
        network: nn.Module,
        family: AcousticFamily,
        groups: Iterable[dict[str, Any]],
        *,
        clips: int,
        weights: Mapping[str, float],
        schedule: LossSchedule,
        realign_every: int,
        ema: float,
        weight_decay: float,
        autocast: torch.dtype | None,
    ) -> None:
        self.network = network
        self.family = family
        self.networks = {"": network}
        self.weights = dict(weights)
        self.schedule = schedule
        self.autocast = autocast
        self.average = WeightAverage(network, ema)
        self.alignments = KeptDurations(clips, realign_every)
        self.optimisers = [
            torch.optim.AdamW(list(groups), lr=0.0, betas=BETAS, eps=EPSILON, weight_decay=weight_decay, fused=True)
        ]
        self.progress: Progress = schedule.at(0)

    def begin_step(self, batch: Batch, position: Position, factor: float, processes: Processes) -> None:
        """Set the learning rates, and align the clips whose alignment is old."""
        self.progress = self.schedule.at(position.step)
        for group in self.optimisers[0].param_groups:
            group["lr"] = group["rate"] * factor
        hold_still(self.network)
        if batch.durations is None:
            found = self.align(batch, self.alignments.stale(batch.clips, position.step))
            for part in processes.gather(found):
                self.alignments.update(part, position.step)

    def align(self, batch: Batch, clips: Sequence[int]) -> dict[int, np.ndarray]:
        """Durations of these clips of a batch by the network as it is; waits for the device."""
        if not clips:
            return {}
        places = [batch.clips.index(clip) for clip in clips]
        durations = self.family.align(self.network, batch.only(places)).cpu().numpy().astype(np.int32)
        return {
            clip: durations[row, : batch.symbols[place]]
            for row, (clip, place) in enumerate(zip(clips, places, strict=True))
        }

    def losses(self, piece: Batch) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """The weighted sum of all terms, and each without its weight: the piece's share of the step's means."""
        share = len(piece) / piece.total
        terms = self.terms(piece)
        total = sum(self.weight_of(name) * value for name, value in terms.items())
        assert isinstance(total, torch.Tensor)
        return [total * share], {name: value.detach() * share for name, value in terms.items()}

    def terms(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Every term, unweighted, as a mean over the clips of a batch."""
        if batch.durations is None:
            batch = batch.with_durations(self._durations(batch))
        with torch.autocast(batch.mel.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            return self.family.losses(self.network, batch, self.progress)

    def weight_of(self, term: str) -> float:
        """What a term is multiplied by in this step."""
        return self.weights[term] * (self.progress.ramp if term in self.family.ramp.terms else 1.0)

    def _durations(self, batch: Batch) -> torch.Tensor:
        found = self.alignments.durations(batch.clips, batch.ids.device).long()
        return nn.functional.pad(found, (0, batch.ids.shape[1] - found.shape[1]))

    def to(self, device: torch.device) -> None:
        """Move network and averages."""
        self.network.to(device)
        self.average.to(device)

    def state_dict(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimiser."""
        return {"average": self.average.state_dict(), "alignments": self.alignments.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.average.load_state_dict(state["average"])
        self.alignments.load_state_dict(state["alignments"])


def hold_still(network: nn.Module) -> None:
    """Let normalisations over a batch go on counting only where they learn: what is frozen stays as it is."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.train(network.training and module.weight.requires_grad)
