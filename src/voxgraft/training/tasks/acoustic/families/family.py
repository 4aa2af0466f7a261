"""AcousticFamily: what training, validation and matching ask of a family of acoustic models.

Letters in shapes: B clips, N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.graft.plan import GraftPlan
from voxgraft.training.tasks.acoustic.batches import Batch


@dataclass(frozen=True)
class Progress:
    """Where the schedule of the losses is: `step` optimiser steps into it, which a base may have gone before, and `ramp`,
    what terms that are brought in little by little count by now, 0 to 1."""

    step: int
    ramp: float


@dataclass(frozen=True)
class Ramp:
    """The terms that are brought in little by little: nothing before `begin` optimiser steps, all after `length` more; a
    length of None is 100 epochs of the corpus."""

    terms: frozenset[str] = frozenset()
    begin: int = 0
    length: int | None = None


class AcousticFamily(Protocol):
    """One family; a module of this package has an object like this as FAMILY."""

    # As in architectures/families.
    name: str
    # Term of the losses -> its weight where the settings say nothing.
    weights: Mapping[str, float]
    # Which of them are brought in little by little.
    ramp: Ramp
    # Group of learning rates -> the parts of the family (names as in architectures/families) that belong to it. All groups are
    # of symbols, encoder, variance, decoder, aligner, speakers, style.
    groups: Mapping[str, tuple[str, ...]]

    def aligns(self, network: nn.Module) -> bool:
        """Whether the network learns which symbol takes which frames; else batches must have durations."""

    def take_up(self, network: nn.Module, statistics: VarianceStatistics) -> None:
        """Set what of a network that has not been grafted yet follows the corpus' statistics, such as the bins of pitch."""

    def refined(self, plan: GraftPlan, base: Checkpoint | None, network: nn.Module) -> GraftPlan:
        """The plan where what `take_up` set decides something about it; else the plan as it is."""

    def meet(self, network: nn.Module, first: Callable[[], Batch]) -> None:
        """Set what of a network that nobody trained yet is fitted to recordings: `first` makes a batch of some."""

    def align(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """Durations [B, N] in frames, int64, of the likeliest alignment by the network as it is; they sum to the frames.

        Called without gradients, outside of the step: it may wait for a device.
        """

    def losses(self, network: nn.Module, batch: Batch, progress: Progress) -> dict[str, torch.Tensor]:
        """Every term, unweighted, as a mean over the clips of the batch, so that means of parts of a step, each times its
        share of the clips, add up to the step's. `batch.durations` are those of `align` or of a file; nothing here may wait
        for a GPU."""

    def teacher_forced(
        self, network: nn.Module, batch: Batch, *, force_pitch: bool, force_energy: bool
    ) -> torch.Tensor:
        """The mel [B, M, T] that the network makes at the recordings' own durations, frame for frame as long as they are."""

    def durations(self, network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network would take and what the recordings take: frames of each symbol, float [B, N] twice."""

    def synthesise(
        self,
        network: nn.Module,
        ids: torch.Tensor,
        *,
        speaker: int = 0,
        language: int = 0,
        pace: float = 1.0,
        pitch: float = 1.0,
        energy: float = 1.0,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Speak ids [N]: the mel [M, T] and the durations [N]. `pace` of 2 is twice as quick; `pitch` and `energy` multiply
        the predicted deviations from the speaker's means."""
