"""AcousticConfig: the settings that only a text-to-spec model has; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voxgraft.config.kinds import PathOrName
from voxgraft.config.section import Section
from voxgraft.config.tasks.spectrogram import SpectrogramConfig

AcousticFamily = Literal["fastspeech2", "delightful", "glow_tts"]
Size = Literal["tiny", "small", "full"]


class AcousticConfig(Section):
    """What only a text-to-spec model has: its network, what it learns from and how."""

    family: AcousticFamily = Field("fastspeech2", description="Network of a model from scratch; a base brings its own.")
    size: Size = Field(
        "small",
        description="Size of a network from scratch: tiny trains in minutes on two cores, full is the authors'.",
    )
    spectrogram: SpectrogramConfig = Field(
        SpectrogramConfig(), description="Spectrogram of a model from scratch; a base brings its own."
    )
    vocoder: PathOrName | None = Field(
        None, description="Vocoder that makes its spectrograms heard: a path or a name; null takes the one that fits."
    )
