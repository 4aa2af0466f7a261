"""HiFi-GAN (Kong et al. 2020) under its authors' names, which Coqui TTS and EveryVoice keep."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="hifigan",
    title="HiFi-GAN",
    task="vocoder",
    parts=(
        Part("generator", "generator"),
        Part("period_discriminator", "multi-period discriminator", speaks=False),
        Part("scale_discriminator", "multi-scale discriminator", speaks=False),
        Part("resolution_discriminator", "multi-resolution discriminator", speaks=False, wanted=False),
        Part("light_discriminator", "light discriminators", speaks=False, wanted=False),
    ),
    prefixes=(
        ("generator.", "generator"),
        ("discriminator.mpd.", "period_discriminator"),
        ("discriminator.msd.", "scale_discriminator"),
        ("discriminator.mrd.", "resolution_discriminator"),
        ("discriminator.discriminators.", "light_discriminator"),
    ),
    whole=frozenset({"period_discriminator", "scale_discriminator", "resolution_discriminator", "light_discriminator"}),
)
