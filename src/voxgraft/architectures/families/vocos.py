"""Vocos (Siuzdak 2023): a vocoder that ends in an inverse Fourier transform, under its authors' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="vocos",
    title="Vocos",
    task="vocoder",
    parts=(
        Part("generator", "generator"),
        Part("period_discriminator", "multi-period discriminator", speaks=False),
        Part("resolution_discriminator", "multi-resolution discriminator", speaks=False),
        Part("light_discriminator", "light discriminators", speaks=False, wanted=False),
    ),
    prefixes=(
        ("generator.", "generator"),
        ("discriminator.mpd.", "period_discriminator"),
        ("discriminator.mrd.", "resolution_discriminator"),
        ("discriminator.discriminators.", "light_discriminator"),
    ),
    whole=frozenset({"period_discriminator", "resolution_discriminator", "light_discriminator"}),
)
