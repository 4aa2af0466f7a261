"""The losses of one adversarial training step of VITS, in one pass through each network.

The generator's and the discriminators' losses see the same weights and the same audio, so one forward pass of the
discriminators serves both: first the generator's loss is followed back to the generated audio only, then the
discriminators' own loss back to their weights. The gradients are those of two separate passes, as Piper's trainer
and HiFi-GAN's make them, when both networks step after both losses are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.models.discriminators.losses import adversarial_loss, discriminator_loss, feature_loss, kl_loss
from voxgraft.models.spectral import mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import Vits, VitsOutput
from voxgraft.models.vits.masks import segments
from voxgraft.models.weight_norm import shared_weights

PIPER_WEIGHTS = {"mel": 45.0, "kl": 1.0, "duration": 1.0, "adversarial": 1.0, "feature": 2.0}


@dataclass(frozen=True)
class StepLosses:
    """What to call `backward` on, and what to log.

    `generator` reaches only the generator's weights, `discriminator` (None without one) only the discriminators':
    backward through each in any order. `terms` are detached scalars without their weights: mel, kl, duration,
    adversarial, feature, discriminator. `output` is the generator's pass.
    """

    generator: torch.Tensor
    discriminator: torch.Tensor | None
    terms: Mapping[str, torch.Tensor]
    output: VitsOutput


def vits_losses(
    generator: Vits,
    discriminator: nn.Module | None,
    *,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    spectrogram: torch.Tensor,
    spectrogram_lengths: torch.Tensor,
    audio: torch.Tensor,
    spec: AudioSpec,
    speaker: torch.Tensor | None = None,
    segment: int = 8192,
    weights: Mapping[str, float] = PIPER_WEIGHTS,
    autocast: torch.dtype | None = None,
    noise: torch.Generator | None = None,
) -> StepLosses:
    """Losses of one batch: ids [B, N], spectrogram [B, bins, T], audio [B, T * hop] (padded with zeros), speaker [B].

    `segment` samples of each clip are decoded. `weights` as in PIPER_WEIGHTS: where `adversarial` and `feature` are
    both 0, only the discriminators learn from the adversary. `autocast` is the type that the networks compute in,
    None for float32; losses are always float32. `noise` draws all noise but dropout.
    """
    device = audio.device.type
    with torch.autocast(device, dtype=autocast, enabled=autocast is not None):
        output = generator(
            ids,
            lengths,
            spectrogram,
            spectrogram_lengths,
            speaker,
            segment_frames=segment // spec.hop,
            generator=noise,
        )
    terms = reconstruction_terms(output, spectrogram, spec, segment // spec.hop)
    total = sum(weights[name] * value for name, value in terms.items())
    against = None
    if discriminator is not None:
        real = segments(audio.unsqueeze(1), output.starts * spec.hop, segment)
        with torch.autocast(device, dtype=autocast, enabled=autocast is not None):
            judged = judge(discriminator, real, output.audio, weights["adversarial"], weights["feature"])
        total = total + judged.for_generator
        against = judged.for_discriminator
        terms = terms | judged.terms
    return StepLosses(total, against, {name: value.detach() for name, value in terms.items()}, output)


def reconstruction_terms(
    output: VitsOutput, spectrogram: torch.Tensor, spec: AudioSpec, frames: int
) -> dict[str, torch.Tensor]:
    """The losses that need no discriminator, unweighted: `mel` (L1 of log mels), `kl` and `duration` in nats."""
    wanted = spectrogram_to_mel(segments(spectrogram, output.starts, frames), spec)
    return {
        "mel": F.l1_loss(mel_spectrogram(output.audio.squeeze(1), spec), wanted),
        "kl": kl_loss(output.z_p, output.logs_q, output.m_p, output.logs_p, output.mask),
        "duration": output.duration_loss,
    }


@dataclass(frozen=True)
class Judged:
    """`for_generator` (weighted) leads back to the generated audio alone, `for_discriminator` to the discriminators alone."""

    for_generator: torch.Tensor
    for_discriminator: torch.Tensor
    terms: Mapping[str, torch.Tensor]


def judge(
    discriminator: Callable[[torch.Tensor], list],
    real: torch.Tensor,
    fake: torch.Tensor,
    adversarial_weight: float,
    feature_weight: float,
) -> Judged:
    """Both sides' adversarial losses from one forward pass over real and fake, [B, 1, S] each."""
    learns = bool(adversarial_weight or feature_weight) and fake.requires_grad
    leaf = fake.detach().requires_grad_(learns)
    with shared_weights(discriminator):
        of_real, of_fake = discriminator(real), discriminator(leaf)
    terms = {"adversarial": adversarial_loss(of_fake), "feature": feature_loss(of_real, of_fake)}
    weighted = adversarial_weight * terms["adversarial"] + feature_weight * terms["feature"]
    for_generator = weighted.detach()
    if learns:
        (gradient,) = torch.autograd.grad(weighted, leaf, retain_graph=True)
        for_generator = for_generator + ((fake - fake.detach()) * gradient).sum()
    for_discriminator = discriminator_loss(of_real, of_fake)
    return Judged(for_generator, for_discriminator, terms | {"discriminator": for_discriminator})
