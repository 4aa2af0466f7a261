"""Discriminators, each forward(audio [B, 1, T]) -> a (score [B, n], features) for each of its parts."""

from voxgraft.models.discriminators.light import LightDiscriminator
from voxgraft.models.discriminators.period import MultiPeriodDiscriminator
from voxgraft.models.discriminators.piper import PiperDiscriminator
from voxgraft.models.discriminators.resolution import MultiResolutionDiscriminator
from voxgraft.models.discriminators.scale import MultiScaleDiscriminator
from voxgraft.models.discriminators.together import Discriminators, discriminators

__all__ = [
    "Discriminators",
    "LightDiscriminator",
    "MultiPeriodDiscriminator",
    "MultiResolutionDiscriminator",
    "MultiScaleDiscriminator",
    "PiperDiscriminator",
    "discriminators",
]
