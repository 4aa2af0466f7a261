"""The conformer of DelightfulTTS, told at every block who speaks in which language. Letters: B batch, T time, C channels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.named import separable, wrapped

SLOPE = 0.3
_FEED_FORWARD_KERNEL = 3
_FEED_FORWARD_FACTOR = 4


class Conformer(nn.Module):
    """[B, T, C] -> [B, T, C]."""

    def __init__(
        self,
        *,
        layers: int,
        channels: int,
        heads: int,
        kernel: int,
        feed_forward: bool,
        condition_channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.layer_stack = nn.ModuleList(
            Block(channels, heads, kernel, feed_forward, condition_channels, dropout) for _ in range(layers)
        )

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D] -> [B, T, C]; every clip of a batch is T long."""
        positions = sinusoids(x.shape[1], x.shape[2]).to(x)
        for block in self.layer_stack:
            x = block(x, condition, positions)
        return x


class Block(nn.Module):
    """Conditioning, half a step of feed-forward, convolution, attention, convolution; all but the first as residuals."""

    def __init__(
        self, channels: int, heads: int, kernel: int, feed_forward: bool, condition_channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.conditioning = Conditioning(channels, kernel, condition_channels)
        self.ff = FeedForward(channels, dropout) if feed_forward else None
        self.conformer_conv_1 = ConvolutionModule(channels, kernel, dropout)
        self.ln = nn.LayerNorm(channels)
        self.slf_attn = nn.ModuleDict({"attention": RelativeAttention(channels, heads)})
        self.dropout = nn.Dropout(dropout)
        self.conformer_conv_2 = ConvolutionModule(channels, kernel, dropout)

    def forward(self, x: torch.Tensor, condition: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D], positions [T, C] -> [B, T, C]."""
        x = self.conditioning(x, condition)
        if self.ff is not None:
            x = x + self.ff(x)
        x = x + self.conformer_conv_1(x)
        x = x + self.dropout(self.slf_attn["attention"](self.ln(x), positions))
        return x + self.conformer_conv_2(x)


class Conditioning(nn.Module):
    """A gated convolution whose open half is shifted by speaker and language (Ping et al. 2018, arXiv 1710.07654)."""

    def __init__(self, channels: int, kernel: int, condition_channels: int) -> None:
        super().__init__()
        self.bsconv1d = separable(channels, 2 * channels, kernel)
        self.embedding_proj = nn.Linear(condition_channels, channels)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D] -> [B, T, C]."""
        opened, gate = self.bsconv1d(x.mT).mT.chunk(2, dim=-1)
        shifted = opened + F.softsign(self.embedding_proj(condition))
        return (x + shifted * torch.sigmoid(gate)) * math.sqrt(0.5)


class FeedForward(nn.Module):
    """Half of what two convolutions make of x."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        wide = _FEED_FORWARD_FACTOR * channels
        self.ln = nn.LayerNorm(channels)
        self.conv_1 = nn.Conv1d(channels, wide, _FEED_FORWARD_KERNEL, padding=_FEED_FORWARD_KERNEL // 2)
        self.conv_2 = nn.Conv1d(wide, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, C] -> [B, T, C]."""
        wide = self.dropout(F.leaky_relu(self.conv_1(self.ln(x).mT), SLOPE))
        return 0.5 * self.dropout(self.conv_2(wide)).mT


class ConvolutionModule(nn.Module):
    """A gate, a depthwise convolution and a normalisation over the whole clip, twice as wide as x."""

    def __init__(self, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        wide = 2 * channels
        self.ln_1 = nn.LayerNorm(channels)
        self.conv_1 = wrapped(channels, 2 * wide, 1)
        self.depthwise = wrapped(wide, wide, kernel, wide)
        self.ln_2 = nn.GroupNorm(1, wide)
        self.conv_2 = wrapped(wide, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, C] -> [B, T, C]."""
        opened, gate = self.conv_1(self.ln_1(x).mT).chunk(2, dim=1)
        wide = self.ln_2(self.depthwise(opened * F.leaky_relu(gate, SLOPE)))
        return self.dropout(self.conv_2(F.leaky_relu(wide, SLOPE))).mT


class RelativeAttention(nn.Module):
    """Self-attention with relative positions (Dai et al. 2019, arXiv 1901.02860), scaled by the width of all heads."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_proj = nn.Linear(channels, channels)
        self.key_proj = nn.Linear(channels, channels, bias=False)
        self.value_proj = nn.Linear(channels, channels, bias=False)
        self.pos_proj = nn.Linear(channels, channels, bias=False)
        self.out_proj = nn.Linear(channels, channels)
        self.u_bias = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels // heads)))
        self.v_bias = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels // heads)))

    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """x [B, T, C], positions [T, C] -> [B, T, C]."""
        query, key, value, position = (
            rows.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for rows in (self.query_proj(x), self.key_proj(x), self.value_proj(x), self.pos_proj(positions))
        )
        content = (query + self.u_bias.unsqueeze(1)) @ key.mT
        placed = shifted((query + self.v_bias.unsqueeze(1)) @ position.mT)
        weights = torch.softmax((content + placed) / math.sqrt(x.shape[-1]), dim=-1)
        return self.out_proj((weights @ value).transpose(1, 2).flatten(2))


def shifted(scores: torch.Tensor) -> torch.Tensor:
    """Scores by absolute position, [B, H, T, T], moved so that each row's own place comes last in what it sees.

    A column of zeros goes before the first; read through row by row, the first T numbers then drop out.
    """
    time = scores.shape[-1]
    return F.pad(scores, (1, 0)).flatten(-2)[..., time:].view_as(scores)


def sinusoids(length: int, channels: int) -> torch.Tensor:
    """Positions as sines and cosines by turns (Vaswani et al. 2017): [length, channels]."""
    rates = torch.exp(torch.arange(0, channels, 2) * (-math.log(10000.0) / channels))
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)[:, :channels]
