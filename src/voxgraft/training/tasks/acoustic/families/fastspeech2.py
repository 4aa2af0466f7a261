"""FastSpeech 2 with its learned aligner, trained as EveryVoice trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.fastspeech2 import FastSpeech2
from voxgraft.models.fastspeech2.fastspeech2 import path_of
from voxgraft.models.fastspeech2.losses import WEIGHTS, losses
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.training.tasks.acoustic.batches import Batch
from voxgraft.training.tasks.acoustic.bins import with_bins
from voxgraft.training.tasks.acoustic.families.family import Progress, Ramp


class FastSpeech2Family:
    """The learned alignment, phone-level pitch and energy, a postnet."""

    name = "fastspeech2"
    weights: Mapping[str, float] = WEIGHTS
    ramp = Ramp(frozenset({"attn_bin"}))
    groups: Mapping[str, tuple[str, ...]] = {
        "symbols": ("symbol_embedding",),
        "encoder": ("text_encoder",),
        "variance": ("duration", "pitch", "energy"),
        "decoder": ("decoder", "postnet"),
        "aligner": ("aligner",),
        "speakers": ("speaker_embedding", "language_embedding"),
        "style": ("style",),
    }

    def aligns(self, network: nn.Module) -> bool:
        """Whether it has an aligner."""
        return hasattr(_own(network).variance_adaptor, "attention")

    @torch.no_grad()
    def take_up(self, network: nn.Module, statistics: VarianceStatistics) -> None:
        """Lay the bins of pitch and energy over the range that the corpus has, in deviations."""
        adaptor = _own(network).variance_adaptor
        adaptor.pitch_bins.copy_(torch.linspace(*statistics.pitch_bounds, len(adaptor.pitch_bins)))
        adaptor.energy_bins.copy_(torch.linspace(*statistics.energy_bounds, len(adaptor.energy_bins)))

    def refined(self, plan: GraftPlan, base: Checkpoint | None, network: nn.Module) -> GraftPlan:
        """The vectors of bins go where their values are now."""
        for name in ("pitch", "energy"):
            bins, vectors = (f"variance_adaptor.{name}_{what}" for what in ("bins", "embedding.weight"))
            if base is not None and bins in base.tensors:
                new = getattr(_own(network).variance_adaptor, f"{name}_bins").numpy()
                plan = with_bins(plan, vectors, np.asarray(base.tensors[bins], np.float32), new)
        return plan

    @torch.no_grad()
    def meet(self, network: nn.Module, first: Callable[[], Batch]) -> None:
        """From scratch all mels begin as the mean of recordings, which else takes hundreds of steps to be found."""
        bias = _own(network).mel_linear.bias
        if bool(bias.any()):
            return
        batch = first()
        bias.copy_(batch.mel.sum((0, 2)) / batch.total_frames)

    @torch.no_grad()
    def align(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """By its aligner."""
        assert batch.prior is not None
        return _own(network).align(batch.ids, batch.lengths, batch.mel, batch.frames, batch.prior)

    def losses(self, network: nn.Module, batch: Batch, progress: Progress) -> dict[str, torch.Tensor]:
        """EveryVoice's, over all positions of the padded batch."""
        own = _own(network)
        output = own(
            batch.ids,
            batch.lengths,
            batch.mel,
            batch.frames,
            batch.pitch,
            batch.energy,
            prior=batch.prior,
            durations=batch.durations,
            speaker=batch.speaker,
            language=batch.language,
        )
        return losses(
            output,
            batch.mel,
            sequence_mask(batch.lengths, batch.ids.shape[1]).squeeze(1),
            batch.symbols,
            batch.mel_frames,
            postnet=hasattr(own, "postnet"),
            total_frames=batch.usual_frames,
        )

    @torch.no_grad()
    def teacher_forced(
        self, network: nn.Module, batch: Batch, *, force_pitch: bool, force_energy: bool
    ) -> torch.Tensor:
        """Refined by the postnet where there is one."""
        return self._forced(network, batch, force_pitch, force_energy).refined

    @torch.no_grad()
    def durations(self, network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Predicted of the recordings' own pitch and energy, as in training."""
        output = self._forced(network, batch, True, True)
        mask = sequence_mask(batch.lengths, batch.ids.shape[1]).squeeze(1)
        return torch.expm1(output.log_durations).clamp(min=0) * mask, output.durations.float()

    def _forced(self, network: nn.Module, batch: Batch, force_pitch: bool, force_energy: bool) -> Any:
        own = _own(network)
        durations = batch.durations if batch.durations is not None else self.align(own, batch)
        path = path_of(durations, sequence_mask(batch.frames, batch.mel.shape[2]))
        return own.infer(
            batch.ids,
            batch.lengths,
            speaker=batch.speaker,
            language=batch.language,
            style=batch.mel,
            durations=durations,
            pitch=own.at_level("pitch", batch.pitch, path) if force_pitch else None,
            energy=own.at_level("energy", batch.energy, path) if force_energy else None,
            frames=batch.mel.shape[2],
        )

    @torch.no_grad()
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
        """In the style of its first token, where it has styles."""
        output = _own(network).infer(
            ids.unsqueeze(0),
            torch.tensor([len(ids)]).to(ids.device),
            speaker=torch.tensor([speaker]).to(ids.device),
            language=torch.tensor([language]).to(ids.device),
            duration_scale=1 / pace,
            pitch_scale=pitch,
            energy_scale=energy,
        )
        return output.refined[0], output.durations[0]


def _own(network: nn.Module) -> FastSpeech2:
    assert isinstance(network, FastSpeech2)
    return network


FAMILY = FastSpeech2Family()
