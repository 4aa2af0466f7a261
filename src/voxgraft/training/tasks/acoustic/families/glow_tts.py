"""Glow-TTS, trained as Coqui TTS trains it: the likelihood of the mel, and durations of the likeliest alignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.graft.plan import GraftPlan
from voxgraft.models.glow_tts import WEIGHTS, GlowTts, glow_losses
from voxgraft.training.tasks.acoustic.batches import Batch
from voxgraft.training.tasks.acoustic.families.family import Progress, Ramp


class GlowTtsFamily:
    """A flow that aligns by itself; neither pitch nor energy."""

    name = "glow_tts"
    weights: Mapping[str, float] = WEIGHTS
    ramp = Ramp()
    groups: Mapping[str, tuple[str, ...]] = {
        "encoder": ("text_encoder",),
        "variance": ("duration",),
        "decoder": ("decoder",),
        "speakers": ("speaker_embedding",),
    }

    def aligns(self, network: nn.Module) -> bool:
        """Always: by what its flow makes of the recording."""
        return True

    def take_up(self, network: nn.Module, statistics: VarianceStatistics) -> None:
        """Nothing follows pitch or energy."""

    def refined(self, plan: GraftPlan, base: Checkpoint | None, network: nn.Module) -> GraftPlan:
        """As it is."""
        return plan

    def meet(self, network: nn.Module, first: Callable[[], Batch]) -> None:
        """The normalisations of a new flow; those of one that was trained would forget what they know."""
        own = _own(network)
        if not own.initialised:
            batch = first()
            own.initialise(batch.mel, batch.frames, batch.speaker)

    @torch.no_grad()
    def align(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """By the likelihood of each frame under each symbol, without dropout."""
        own = _own(network)
        with evaluated(own):
            return own.align(batch.ids, batch.lengths, batch.mel, batch.frames, batch.speaker)

    def losses(self, network: nn.Module, batch: Batch, progress: Progress) -> dict[str, torch.Tensor]:
        """Coqui's two."""
        output = _own(network)(
            batch.ids, batch.lengths, batch.mel, batch.frames, batch.speaker, durations=batch.durations
        )
        return glow_losses(
            output, batch.frames, batch.lengths, total_frames=batch.usual_frames, total_symbols=batch.usual_symbols
        )

    @torch.no_grad()
    def teacher_forced(
        self, network: nn.Module, batch: Batch, *, force_pitch: bool, force_energy: bool
    ) -> torch.Tensor:
        """Without noise; of pitch and energy it knows nothing."""
        said = _own(network).teacher_forced(
            batch.ids, batch.lengths, batch.mel, batch.frames, batch.speaker, durations=batch.durations
        )
        return said.mel

    @torch.no_grad()
    def durations(self, network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the text alone, and of the alignment."""
        own = _own(network)
        predicted = own.predicted_durations(batch.ids, batch.lengths, batch.speaker)
        found = batch.durations if batch.durations is not None else self.align(own, batch)
        return predicted, found.to(predicted.dtype)

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
        """Without noise; it turns no pitch and no energy."""
        lengths, who = (torch.tensor([number]).to(ids.device) for number in (len(ids), speaker))
        said = _own(network).infer(ids.unsqueeze(0), lengths, speaker=who, length_scale=1 / pace)
        return said.mel[0], said.durations[0]


@contextmanager
def evaluated(network: nn.Module) -> Iterator[None]:
    """Within it no dropout falls; every part then goes on in the mode that it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _own(network: nn.Module) -> GlowTts:
    assert isinstance(network, GlowTts)
    return network


FAMILY = GlowTtsFamily()
