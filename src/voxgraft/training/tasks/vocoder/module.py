"""VocoderLearner: a vocoder and its discriminators, an optimiser each, and the losses of one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.tasks.vocoder import VocoderConfig
from voxgraft.models.discriminators.scale import ScaleDiscriminator
from voxgraft.models.spectral import full, mel_spectrogram
from voxgraft.models.spectral_norm import approach_spectra
from voxgraft.models.stft_loss import stft_loss
from voxgraft.models.vocoders.speak import waveform
from voxgraft.training.loop.adversarial import adversarial_losses
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.vocoder.batches import Batch

BETAS = (0.8, 0.99)


class VocoderLearner:
    """`whole` has the children `generator` and, where one trains with them, `discriminator`; both step once a batch.

    `settings` have nothing left open. The discriminators are used from step `settings.adversarial_from` on; the generator
    learns from them from step `adversarial_from` on.
    """

    def __init__(
        self,
        whole: nn.Module,
        spec: AudioSpec,
        settings: VocoderConfig,
        *,
        ema: float,
        steps_per_epoch: int,
        autocast: torch.dtype | None = None,
        adversarial_from: int = 0,
    ) -> None:
        self.whole = whole
        self.generator: nn.Module = whole.generator
        self.discriminator: nn.Module | None = getattr(whole, "discriminator", None)
        self.spec, self.settings, self.autocast = spec, settings, autocast
        self.steps_per_epoch, self.adversarial_from = steps_per_epoch, adversarial_from
        freeze_first_layers(self.discriminator, settings.freeze_discriminator)
        self.average = WeightAverage(self.generator, ema)
        self.optimisers = [
            torch.optim.AdamW(
                [{"params": [p for p in network.parameters() if p.requires_grad], "rate": rate}],
                lr=0.0,
                betas=settings.betas or BETAS,
                weight_decay=settings.weight_decay,
                fused=True,
            )
            for network, rate in (
                (self.generator, settings.learning_rates.generator),
                (self.discriminator, settings.learning_rates.discriminator),
            )
            if network is not None
        ]
        self._step = 0

    @property
    def network(self) -> nn.Module:
        """What is validated and kept."""
        return self.generator

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Those that learn in this step."""
        judged = self.discriminator is not None and self.judges
        return {"": self.generator} | ({"discriminator_": self.discriminator} if judged else {})  # type: ignore[dict-item]

    @property
    def judges(self) -> bool:
        """Whether the discriminators are used in this step."""
        return self.discriminator is not None and self._step >= self.settings.adversarial_from

    def begin_step(self, batch: Batch | None, position: Position, factor: float, processes: Processes) -> None:
        """Set the learning rates; bring the spectral norms up to date, once for all pieces of the batch."""
        self.at_step(position.step)
        decayed = factor * self.settings.decay_per_epoch ** (position.step // self.steps_per_epoch)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * decayed
        if self.discriminator is not None and self.judges:
            approach_spectra(self.discriminator)

    def at_step(self, step: int) -> None:
        """Which losses count depends on the step."""
        self._step = step

    def losses(self, piece: Batch) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """Losses of generator and discriminators, and every term without its weight; each the piece's share of the batch."""
        share = len(piece) / piece.total
        generator, discriminator, terms = self.whole_losses(piece)
        found = [generator] if discriminator is None else [generator, discriminator]
        return [loss * share for loss in found], {name: value.detach() * share for name, value in terms.items()}

    def whole_losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
        """The same as means over the clips at hand."""
        weights = self.settings.weights
        device = batch.audio.device.type
        with torch.autocast(device, dtype=self.autocast, enabled=self.autocast is not None):
            fake = full(waveform(self.generator, batch.mel, batch.noise))
        terms = reconstruction_terms(fake.squeeze(1), batch.audio, self.spec, stft=bool(weights.stft))
        total = sum(getattr(weights, name) * value for name, value in terms.items())
        if self.discriminator is None or not self.judges:
            return total, None, terms
        learns = self._step >= self.adversarial_from
        with torch.autocast(device, dtype=self.autocast, enabled=self.autocast is not None):
            adversarial = adversarial_losses(
                self.discriminator,
                batch.audio.unsqueeze(1),
                fake,
                (weights.adversarial or 0.0) if learns else 0.0,
                (weights.feature or 0.0) if learns else 0.0,
            )
        return total + adversarial.for_generator, adversarial.for_discriminator, terms | dict(adversarial.terms)

    def to(self, device: torch.device) -> None:
        """Move networks and averages."""
        self.whole.to(device)
        self.average.to(device)

    def weights(self) -> dict[str, torch.Tensor]:
        """Weights as they are now, under canonical names."""
        return dict(self.whole.state_dict())

    def load_weights(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take up what `weights` gave; every name and shape must fit."""
        self.whole.load_state_dict(dict(state))

    def state_dict(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimisers."""
        return {"average": self.average.state_dict(), "adversarial_from": self.adversarial_from}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.average.load_state_dict(state["average"])
        self.adversarial_from = state["adversarial_from"]


def reconstruction_terms(
    fake: torch.Tensor, real: torch.Tensor, spec: AudioSpec, *, stft: bool
) -> dict[str, torch.Tensor]:
    """The losses that need no discriminator, unweighted, of audio [B, S] each: `mel` (L1 of log mels), and `stft`."""
    terms = {"mel": F.l1_loss(mel_spectrogram(fake, spec), mel_spectrogram(real, spec))}
    return terms | ({"stft": stft_loss(fake, real)} if stft else {})


def freeze_first_layers(discriminator: nn.Module | None, count: int) -> None:
    """Freeze the first `count` convolutions of each discriminator, one more of those by scale, as EveryVoice does."""
    for one in discriminator.modules() if discriminator is not None and count else ():
        if hasattr(one, "convs"):
            more = isinstance(one, ScaleDiscriminator)
            for conv in one.convs[: count + more]:
                conv.requires_grad_(False)
