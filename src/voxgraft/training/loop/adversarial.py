"""Both sides' losses of an adversarial step, in one pass through the discriminators.

The generator's and the discriminators' losses see the same weights and the same audio, so one forward pass of the
discriminators serves both: first the generator's loss is followed back to the generated audio only, then the
discriminators' own loss back to their weights. The gradients are those of two separate passes, as Piper's trainer
and HiFi-GAN's make them, when both networks step after both losses are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from voxgraft.models.discriminators.losses import adversarial_loss, discriminator_loss, feature_loss
from voxgraft.models.weight_norm import shared_weights


@dataclass(frozen=True)
class Adversarial:
    """`for_generator` (weighted) leads back to the generated audio alone, `for_discriminator` to the discriminators alone."""

    for_generator: torch.Tensor
    for_discriminator: torch.Tensor
    terms: Mapping[str, torch.Tensor]


def adversarial_losses(
    discriminator: Callable[[torch.Tensor], list],
    real: torch.Tensor,
    fake: torch.Tensor,
    adversarial_weight: float,
    feature_weight: float,
) -> Adversarial:
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
    return Adversarial(for_generator, for_discriminator, terms | {"discriminator": for_discriminator})
