"""The discriminators that a vocoder is trained with, as one module; their names are those of the checkpoints that have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.discriminators.period import MultiPeriodDiscriminator
from voxgraft.models.discriminators.resolution import SLOPE, MultiResolutionDiscriminator
from voxgraft.models.discriminators.scale import MultiScaleDiscriminator

_UNIVNET_WIDTHS = (64, 128, 256, 512, 1024)

# Kind -> its parts, each with what makes it.
KINDS: Mapping[str, Mapping[str, Callable[[], nn.Module]]] = {
    # Of the authors, EveryVoice and Coqui TTS.
    "hifigan": {"mpd": MultiPeriodDiscriminator, "msd": MultiScaleDiscriminator},
    # Of maum-ai, VoiceSmith and tts-framework.
    "univnet": {
        "mrd": MultiResolutionDiscriminator,
        "mpd": lambda: MultiPeriodDiscriminator(widths=_UNIVNET_WIDTHS, slope=SLOPE),
    },
    # By period as HiFi-GAN has them, by spectrogram as UnivNet has them.
    "vocos": {"mpd": MultiPeriodDiscriminator, "mrd": MultiResolutionDiscriminator},
}


class Discriminators(nn.ModuleDict):
    """audio [B, 1, T] -> the judgements of all parts, in order."""

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [judgement for part in self.values() for judgement in part(audio)]


def discriminators(kind: str) -> Discriminators:
    """The discriminators of a kind in KINDS, with their own first values."""
    return Discriminators({name: make() for name, make in KINDS[kind].items()})
