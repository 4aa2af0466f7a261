"""Multi-band MelGAN (Yang et al. 2021) under Coqui TTS' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="multiband_melgan",
    title="Multi-band MelGAN",
    task="spec-to-wav",
    parts=(
        Part("generator", "generator"),
        Part("band_filter", "band filter"),
        Part("discriminator", "discriminators", speaks=False),
    ),
    prefixes=(
        ("generator.pqmf_layer.", "band_filter"),
        ("generator.", "generator"),
        ("discriminator.", "discriminator"),
    ),
    whole=frozenset({"discriminator"}),
)
