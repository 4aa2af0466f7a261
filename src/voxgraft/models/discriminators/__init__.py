"""Discriminators, each forward(audio [B, 1, T]) -> a (score [B, n], features) for each of its parts."""

from voxgraft.models.discriminators.light import LightDiscriminator
from voxgraft.models.discriminators.piper import PiperDiscriminator

__all__ = ["LightDiscriminator", "PiperDiscriminator"]
