"""network_of: the module of a family, whose tensors have the family's canonical names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import nn

# Family -> module of this package and class. Families of recognisers are in `ctc/networks.py`: their tensors have other names.
PLACES: Mapping[str, tuple[str, str]] = {
    "vits": ("voxgraft.models.vits", "Vits"),
    "fastspeech2": ("voxgraft.models.fastspeech2", "FastSpeech2"),
    "glow_tts": ("voxgraft.models.glow_tts", "GlowTts"),
    "delightful": ("voxgraft.models.delightful", "Delightful"),
    "hifigan": ("voxgraft.models.vocoders.hifigan", "HifiGan"),
    "univnet": ("voxgraft.models.vocoders.univnet", "UnivNet"),
    "vocos": ("voxgraft.models.vocoders.vocos", "Vocos"),
}
# Families whose canonical names begin with `generator.`.
VOCODERS = frozenset({"hifigan", "univnet", "vocos"})


class Vocoder(nn.Module):
    """A generator under the canonical names of its family: mel [B, M, T] -> audio [B, 1, T * hop]."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, *inputs: Any) -> Any:
        """As the generator's."""
        return self.generator(*inputs)


def network_of(family: str, architecture: Mapping[str, Any]) -> nn.Module:
    """The network of a family with these keyword arguments and its own initialisation. KeyError: there is none here."""
    place, name = PLACES[family]
    network = getattr(import_module(place), name)(**architecture)
    return Vocoder(network) if family in VOCODERS else network
