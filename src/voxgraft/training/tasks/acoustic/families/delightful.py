"""DelightfulTTS, trained as tts-framework and VoiceSmith train it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.delightful import WEIGHTS, Delightful, DelightfulOutput, delightful_losses
from voxgraft.models.fastspeech2.variance_adaptor import averages
from voxgraft.models.vits.masks import path_from_durations, sequence_mask
from voxgraft.training.tasks.acoustic.batches import Batch
from voxgraft.training.tasks.acoustic.bins import with_bins
from voxgraft.training.tasks.acoustic.families.family import Progress, Ramp
from voxgraft.training.tasks.acoustic.families.glow_tts import evaluated

_BINS = "pitch_adaptor.pitch_bins"


class DelightfulFamily:
    """Prosody of the whole and of each symbol, a learned alignment, pitch and energy by symbol."""

    name = "delightful"
    weights: Mapping[str, float] = WEIGHTS
    # tts-framework's steps; VoiceSmith, with millions of them, waits 18000 and takes 10000.
    ramp = Ramp(frozenset({"attn_bin"}), begin=1260, length=700)
    groups: Mapping[str, tuple[str, ...]] = {
        "encoder": ("text_encoder",),
        "variance": ("prosody_predictors", "pitch", "energy", "duration"),
        "decoder": ("decoder",),
        "aligner": ("aligner",),
        "speakers": ("speaker_embedding", "language_embedding"),
        "style": ("prosody_encoders",),
    }

    def aligns(self, network: nn.Module) -> bool:
        """Always."""
        return True

    @torch.no_grad()
    def take_up(self, network: nn.Module, statistics: VarianceStatistics) -> None:
        """The range of the corpus' pitch; where the base counts pitch in Hz, its mean and deviation there."""
        own = _own(network)
        low, high = statistics.pitch_bounds
        own.pitches_stat.copy_(torch.tensor([low, high]))
        if own.has_bins:
            own.pitch_adaptor.pitch_bins.copy_(torch.linspace(low, high, len(own.pitch_adaptor.pitch_bins)))
        if own.pitch_in_hertz:
            speakers = list(statistics.pitch.values())
            mean = sum(speaker.mean for speaker in speakers) / len(speakers)
            deviation = sum(speaker.std for speaker in speakers) / len(speakers)
            own.pitch_scale.copy_(torch.tensor([mean, deviation]))

    def refined(self, plan: GraftPlan, base: Checkpoint | None, network: nn.Module) -> GraftPlan:
        """The vectors of VoiceSmith's ranges of pitch, which are deviations too, go where these are now."""
        own = _own(network)
        if base is None or not own.has_bins or _BINS not in base.tensors:
            return plan
        old, new = np.asarray(base.tensors[_BINS], np.float32), own.pitch_adaptor.pitch_bins.numpy()
        return with_bins(plan, "pitch_adaptor.pitch_embedding.embeddings", old, new)

    def meet(self, network: nn.Module, first: Callable[[], Batch]) -> None:
        """Nothing is."""

    @torch.no_grad()
    def align(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """By its aligner, without dropout."""
        own = _own(network)
        with evaluated(own):
            return own.align(
                batch.ids,
                batch.lengths,
                batch.mel,
                batch.frames,
                batch.speaker,
                batch.language,
                prior=batch.prior,
            )

    def losses(self, network: nn.Module, batch: Batch, progress: Progress) -> dict[str, torch.Tensor]:
        """tts-framework's; how far the schedule is stays in the network, whatever becomes of the run."""
        own = _own(network)
        own.loss_step.fill_(progress.step)
        output = own.learn(
            batch.ids,
            batch.lengths,
            batch.mel,
            batch.frames,
            batch.pitch,
            batch.energy,
            batch.speaker,
            batch.language,
            prior=batch.prior,
            durations=batch.durations,
        )
        return delightful_losses(
            output,
            batch.mel,
            batch.symbols,
            batch.mel_frames,
            total_frames=batch.usual_frames,
            total_symbols=batch.usual_symbols,
        )

    @torch.no_grad()
    def teacher_forced(
        self, network: nn.Module, batch: Batch, *, force_pitch: bool, force_energy: bool
    ) -> torch.Tensor:
        """With the prosody that it predicts, as it speaks."""
        return self._forced(network, batch, force_pitch, force_energy).mel

    @torch.no_grad()
    def durations(self, network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the text alone, and of the alignment."""
        own = _own(network)
        predicted = own.predicted_durations(batch.ids, batch.lengths, batch.speaker, batch.language)
        found = batch.durations if batch.durations is not None else self.align(own, batch)
        return predicted, found.to(predicted.dtype)

    def _forced(self, network: nn.Module, batch: Batch, force_pitch: bool, force_energy: bool) -> DelightfulOutput:
        own = _own(network)
        durations = batch.durations if batch.durations is not None else self.align(own, batch)
        text_mask = sequence_mask(batch.lengths, batch.ids.shape[1])
        mask = sequence_mask(batch.frames, batch.mel.shape[2])
        path = path_from_durations(durations.unsqueeze(1).to(mask.dtype), text_mask, mask)
        return own(
            batch.ids,
            batch.speaker,
            batch.language,
            lengths=batch.lengths,
            durations=durations,
            pitch=averages(batch.pitch, path) if force_pitch else None,
            energy=averages(batch.energy, path) if force_energy else None,
            longest=batch.mel.shape[2],
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
        """One sentence."""
        who, what = (torch.tensor([number]).to(ids.device) for number in (speaker, language))
        said = _own(network)(ids.unsqueeze(0), who, what, pace=1 / pace, pitch_factor=pitch, energy_factor=energy)
        return said.mel[0], said.durations[0]


def _own(network: nn.Module) -> Delightful:
    assert isinstance(network, Delightful)
    return network


FAMILY = DelightfulFamily()
