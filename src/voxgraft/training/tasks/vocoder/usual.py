"""How the authors of each family train it: what settings that are left out mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from voxgraft.config.tasks.vocoder import VocoderConfig

# What EveryVoice and others recommend where a vocoder learns from generated spectrograms.
MATCHING_RATE = 1e-5


@dataclass(frozen=True)
class Usual:
    """AdamW's rate and betas, and the weights of the generator's losses."""

    rate: float
    betas: tuple[float, float]
    weights: Mapping[str, float]


_HIFIGAN = Usual(2e-4, (0.8, 0.99), {"mel": 45.0, "stft": 0.0, "adversarial": 1.0, "feature": 2.0})
FAMILIES: Mapping[str, Usual] = {
    # Kong et al. 2020, section 3.3, and its configurations.
    "hifigan": _HIFIGAN,
    # Jang et al. 2021, section 3.1.
    "univnet": Usual(1e-4, (0.5, 0.9), {"mel": 0.0, "stft": 2.5, "adversarial": 1.0, "feature": 0.0}),
    # Siuzdak 2023, appendix; the STFT term steadies the phases of small ones that are trained briefly.
    "vocos": Usual(5e-4, (0.8, 0.9), {"mel": 45.0, "stft": 1.0, "adversarial": 1.0, "feature": 2.0}),
}
# Systems that train a family of others in their own way.
VARIANTS: Mapping[str, Usual] = {
    "everyvoice": replace(_HIFIGAN, rate=1e-4, betas=(0.9, 0.98)),
    "everyvoice-istft": replace(_HIFIGAN, rate=1e-4, betas=(0.9, 0.98)),
}


def usual_of(family: str, variant: str | None = None) -> Usual:
    """What a family, or a system's variant of it, is trained with."""
    return VARIANTS.get(variant or "", FAMILIES[family])


def settled(config: VocoderConfig, usual: Usual, *, from_scratch: bool) -> VocoderConfig:
    """The settings with everything decided that was left out."""
    rate = MATCHING_RATE if config.generated is not None else usual.rate
    generator = rate if config.learning_rates.generator is None else config.learning_rates.generator
    discriminator = config.learning_rates.discriminator
    rates = {"generator": generator, "discriminator": generator if discriminator is None else discriminator}
    given = {name: value for name, value in config.weights.model_dump().items() if value is not None}
    warmup = config.discriminator_warmup
    return config.model_copy(
        update={
            "learning_rates": config.learning_rates.model_copy(update=rates),
            "weights": config.weights.model_copy(update=dict(usual.weights) | given),
            "betas": usual.betas if config.betas is None else config.betas,
            "discriminator_warmup": (0 if from_scratch else 20) if warmup is None else warmup,
        }
    )
