"""Conformer (Gulati et al. 2020): attention and convolution between two half-steps of feed-forward, named as torchaudio's.

Letters in shapes: B batch, T positions, C channels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.dropout import Dropout, dropout


class FeedForward(nn.Module):
    """x [B, T, C] -> [B, T, C]."""

    def __init__(self, channels: int, filter_channels: int, dropout: float) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, filter_channels),
            nn.SiLU(),
            Dropout(dropout),
            nn.Linear(filter_channels, channels),
            Dropout(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sequential(x)


class Convolution(nn.Module):
    """Gated pointwise, depthwise, pointwise: x [B, T, C] -> [B, T, C]."""

    def __init__(self, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(channels)
        self.sequential = nn.Sequential(
            nn.Conv1d(channels, 2 * channels, 1),
            nn.GLU(dim=1),
            nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels),
            nn.BatchNorm1d(channels),
            nn.SiLU(),
            nn.Conv1d(channels, channels, 1),
            Dropout(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pointwise, _, depthwise, norm, _, last, drop = self.sequential
        x = F.glu(pointwise_linear(self.layer_norm(x), pointwise), -1)
        x = F.silu(norm(depthwise(x.transpose(1, 2)))).transpose(1, 2)
        return drop(pointwise_linear(x, last))


def pointwise_linear(x: torch.Tensor, convolution: nn.Conv1d) -> torch.Tensor:
    """A convolution of width 1 as one product, x [B, T, inputs] -> [B, T, outputs]: CPUs have no quick convolution of that width."""
    return F.linear(x, convolution.weight.squeeze(-1), convolution.bias)


class SelfAttention(nn.MultiheadAttention):
    """Attention of x [B, T, C] to itself, padding [B, T] true where no position is -> [B, T, C].

    While it trains on a CPU, with the dropout of models/dropout.py: torch's own takes longer than all else of a step.
    """

    def __init__(self, channels: int, heads: int, chance: float) -> None:
        super().__init__(channels, heads, dropout=chance, batch_first=True)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        if not self.training or not self.dropout or x.device.type != "cpu":
            return super().forward(x, x, x, key_padding_mask=padding, need_weights=False)[0]
        batch, length, channels = x.shape
        joint = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        # [3, B, heads, T, C / heads]
        parts = joint.view(batch, length, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        scores = (query / math.sqrt(self.head_dim)) @ key.transpose(-1, -2)
        nowhere = torch.zeros(padding.shape, dtype=scores.dtype).masked_fill_(padding, -torch.inf)
        weights = (scores + nowhere[:, None, None]).softmax(-1)
        mixed = dropout(weights, self.dropout, True) @ value
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, length, channels))


class ConformerLayer(nn.Module):
    """x [B, T, C], padding [B, T] true where no position is -> [B, T, C]."""

    def __init__(self, channels: int, heads: int, filter_channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.ffn1 = FeedForward(channels, filter_channels, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(channels)
        self.self_attn = SelfAttention(channels, heads, dropout)
        self.self_attn_dropout = Dropout(dropout)
        self.conv_module = Convolution(channels, kernel, dropout)
        self.ffn2 = FeedForward(channels, filter_channels, dropout)
        self.final_layer_norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        x = x + 0.5 * self.ffn1(x)
        x = x + self.self_attn_dropout(self.self_attn(self.self_attn_layer_norm(x), padding))
        x = x + self.conv_module(x)
        return self.final_layer_norm(x + 0.5 * self.ffn2(x))


class Conformer(nn.Module):
    """Layers of a Conformer: x [B, T, C], padding [B, T] -> [B, T, C]. Convolutions see what stands in the padding."""

    def __init__(
        self, channels: int, layers: int, heads: int, filter_channels: int, kernel: int, dropout: float
    ) -> None:
        super().__init__()
        if not kernel % 2:
            raise ValueError(f"the kernel of a Conformer must be odd, not {kernel}")
        self.conformer_layers = nn.ModuleList(
            ConformerLayer(channels, heads, filter_channels, kernel, dropout) for _ in range(layers)
        )

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        for layer in self.conformer_layers:
            x = layer(x, padding)
        return x
