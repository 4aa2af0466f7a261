"""The layer normalisation of Glow-TTS, over the channels of [B, C, N]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

_FIRST_GAIN = 0.1


class GlowNorm(nn.Module):
    """Normalise each position over its channels: [B, C, N] -> [B, C, N].

    Unlike VITS' it begins with gains of 0.1 and keeps them as [1, C, 1].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gamma = nn.Parameter(torch.full((1, channels, 1), _FIRST_GAIN))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gain, offset = self.gamma.view(self.channels), self.beta.view(self.channels)
        return F.layer_norm(x.transpose(1, 2), (self.channels,), gain, offset, 1e-4).transpose(1, 2)
