"""VocoderConfig: the settings that only a vocoder has; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voxgraft.config.section import Section
from voxgraft.config.tasks.spectrogram import SpectrogramConfig

VocoderFamily = Literal["hifigan", "univnet", "vocos"]
VocoderSize = Literal["tiny", "small", "full", "v1", "v2", "v3", "istft"]
Discriminators = Literal["none", "light", "hifigan", "univnet"]


class VocoderConfig(Section):
    """What only a vocoder has: its network, its discriminators and how they are trained."""

    family: VocoderFamily = Field("hifigan", description="Network of a vocoder from scratch; a base brings its own.")
    size: VocoderSize = Field(
        "small", description="Size of a network from scratch; v1, v2, v3 and istft are HiFi-GAN's."
    )
    spectrogram: SpectrogramConfig = Field(
        SpectrogramConfig(), description="Spectrogram that a vocoder from scratch reads; a base brings its own."
    )
    discriminator: Discriminators = Field(
        "light",
        description="Networks that tell generated sound from recordings: light is small and fast, hifigan and univnet are "
        "their authors', none trains without.",
    )
