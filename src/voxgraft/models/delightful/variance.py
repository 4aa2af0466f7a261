"""Predictors of one number or vector for each symbol, and how pitch and energy are told to the decoder.

Letters in shapes: B batch, N symbols, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.conformer import SLOPE
from voxgraft.models.delightful.named import Separable, kept, named


class Predictor(nn.Module):
    """Two separable convolutions and a projection, which goes by the name it is given with.

    x [B, N, C], mask [B, 1, N] or None -> [B, N, outputs], 0 in the padding.
    """

    def __init__(self, inputs: int, width: int, kernel: int, dropout: float, **projection: int) -> None:
        super().__init__()
        ((self.projection, outputs),) = projection.items()
        self.layers = nn.ModuleList(
            (
                named(conv=Separable(inputs, width, kernel)),
                nn.LeakyReLU(SLOPE),
                nn.LayerNorm(width),
                nn.Dropout(dropout),
                named(conv=Separable(width, width, kernel)),
                nn.LeakyReLU(SLOPE),
                nn.LayerNorm(width),
                nn.Dropout(dropout),
            )
        )
        self.add_module(self.projection, nn.Linear(width, outputs))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        for layer in self.layers:
            x = (
                layer[0](kept(x.transpose(-2, -1), mask), mask).transpose(-2, -1)
                if isinstance(layer, nn.Sequential)
                else layer(x)
            )
        outputs = self.get_submodule(self.projection)(x)
        return outputs if mask is None else outputs * mask.transpose(-2, -1)


class BinnedPitch(nn.Module):
    """VoiceSmith's pitch: each range of it has a row of a table."""

    def __init__(self, predictor: Predictor, bins: int, channels: int) -> None:
        super().__init__()
        self.pitch_predictor = predictor
        self.register_buffer("pitch_bins", torch.linspace(-3, 3, bins - 1))
        self.pitch_embedding = nn.ParameterDict({"embeddings": embedding(bins, channels)})

    def pitch_emb(self, pitch: torch.Tensor) -> torch.Tensor:
        """pitch [B, 1, N] -> [B, C, N]."""
        above = (pitch.squeeze(1).unsqueeze(-1) > self.pitch_bins).sum(-1)
        return F.embedding(above, self.pitch_embedding["embeddings"]).transpose(-2, -1)


def embedding(rows: int, channels: int) -> nn.Parameter:
    """A table whose rows have a length of about the root of 2."""
    return nn.Parameter(torch.randn(rows, channels) * (2 / channels) ** 0.5)


def line_convolution(channels: int, kernel: int) -> nn.Conv1d:
    """A line of numbers as channels: [B, 1, N] -> [B, C, N]."""
    return nn.Conv1d(1, channels, kernel, padding=kernel // 2)


def normalised(x: torch.Tensor) -> torch.Tensor:
    """Mean 0 and deviation 1 over the last axis."""
    # In plain operations: a graph wants to know beforehand how wide a layer norm is.
    x = x.float()
    centred = x - x.mean(-1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + 1e-5)
