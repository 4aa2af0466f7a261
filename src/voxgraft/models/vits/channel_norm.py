"""Layer normalisation over the channels of [B, C, T]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class ChannelNorm(nn.Module):
    """Normalise each time step over its channels: [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Not x.shape[1]: the ONNX exporter wants a constant here.
        return F.layer_norm(x.transpose(1, 2), (self.channels,), self.gamma, self.beta, 1e-5).transpose(1, 2)
