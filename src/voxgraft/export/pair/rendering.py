"""Rendering: any vocoder as a module from mel to sound, so that it can be run or traced behind a text-to-spec model."""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.export.vocoder.graph import graph_module
from voxgraft.export.vocoder.load import load_generator
from voxgraft.models.vocoders.speak import SEED, noise_channels

# Frames of noise that come again and again: 6 s at a hop of 256 and 22050 Hz, so that nothing of it is heard as a beat.
NOISE_FRAMES = 512


class Rendering(nn.Module):
    """mel [1, M, T] -> samples [1, 1, T * hop]. A vocoder that takes noise gets the same each time: a voice says a sentence
    the same way again."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator
        self.graph = graph_module(generator)
        channels = noise_channels(generator)
        drawn = torch.randn(1, channels, NOISE_FRAMES, generator=torch.Generator().manual_seed(SEED))
        self.register_buffer("noise", drawn if channels else None, persistent=False)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        if self.noise is None:
            return self.graph(mel).unsqueeze(1)
        places = torch.arange(mel.shape[2], device=mel.device) % NOISE_FRAMES
        return self.graph(mel, self.noise[:, :, places]).unsqueeze(1)


def load_rendering(checkpoint: Checkpoint) -> Rendering:
    """Of a vocoder's checkpoint. Raises ExportError where it is none that speaks here."""
    return Rendering(load_generator(checkpoint)).eval()
