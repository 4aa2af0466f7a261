"""Conformer (Gulati et al. 2020): attention and convolution between two half-steps of feed-forward, named as torchaudio's.

Letters in shapes: B batch, T positions, C channels.
"""

from __future__ import annotations

import torch
from torch import nn


class FeedForward(nn.Module):
    """x [B, T, C] -> [B, T, C]."""

    def __init__(self, channels: int, filter_channels: int, dropout: float) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, filter_channels),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(filter_channels, channels),
            nn.Dropout(dropout),
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
            nn.Dropout(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sequential(self.layer_norm(x).transpose(1, 2)).transpose(1, 2)


class ConformerLayer(nn.Module):
    """x [B, T, C], padding [B, T] true where no position is -> [B, T, C]."""

    def __init__(self, channels: int, heads: int, filter_channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.ffn1 = FeedForward(channels, filter_channels, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(channels)
        self.self_attn = nn.MultiheadAttention(channels, heads, dropout=dropout, batch_first=True)
        self.self_attn_dropout = nn.Dropout(dropout)
        self.conv_module = Convolution(channels, kernel, dropout)
        self.ffn2 = FeedForward(channels, filter_channels, dropout)
        self.final_layer_norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        x = x + 0.5 * self.ffn1(x)
        normed = self.self_attn_layer_norm(x)
        attended, _ = self.self_attn(normed, normed, normed, key_padding_mask=padding, need_weights=False)
        x = x + self.self_attn_dropout(attended)
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
