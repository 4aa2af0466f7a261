"""UnivNet (Jang et al. 2021) under the names of maum-ai's implementation, which tts-framework and VoiceSmith keep."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="univnet",
    title="UnivNet",
    task="vocoder",
    parts=(
        Part("generator", "generator"),
        Part("resolution_discriminator", "multi-resolution discriminator", speaks=False),
        Part("period_discriminator", "multi-period discriminator", speaks=False),
        Part("scale_discriminator", "multi-scale discriminator", speaks=False, wanted=False),
        Part("light_discriminator", "light discriminators", speaks=False, wanted=False),
    ),
    prefixes=(
        ("generator.", "generator"),
        ("discriminator.mrd.", "resolution_discriminator"),
        ("discriminator.mpd.", "period_discriminator"),
        ("discriminator.msd.", "scale_discriminator"),
        ("discriminator.discriminators.", "light_discriminator"),
    ),
    # Coqui's period discriminator is HiFi-GAN's: some names and shapes are the same, the network is not.
    whole=frozenset({"period_discriminator", "scale_discriminator", "resolution_discriminator", "light_discriminator"}),
)
