"""The text encoder: symbols to the mean and log standard deviation of the prior (VITS, section 2.1.1)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from voxgraft.models.vits.attention import RelativeAttention
from voxgraft.models.vits.channel_norm import ChannelNorm
from voxgraft.models.vits.masks import sequence_mask


class FeedForward(nn.Module):
    """Two convolutions with a ReLU: x [B, C, N], mask [B, 1, N] -> [B, C, N]."""

    def __init__(self, channels: int, filter_channels: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.pad = nn.ConstantPad1d(((kernel_size - 1) // 2, kernel_size // 2), 0.0)
        self.conv_1 = nn.Conv1d(channels, filter_channels, kernel_size)
        self.conv_2 = nn.Conv1d(filter_channels, channels, kernel_size)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.drop(torch.relu(self.conv_1(self.pad(x * mask))))
        return self.conv_2(self.pad(hidden * mask)) * mask


class Transformer(nn.Module):
    """Layers of relative self-attention and feed-forward: x [B, C, N], mask [B, 1, N] -> [B, C, N].

    `window` is how far positions are told apart, `reach` how far a symbol sees at all (None: everything), `norm` what
    normalises the channels.
    """

    def __init__(
        self,
        channels: int,
        filter_channels: int,
        heads: int,
        layers: int,
        kernel_size: int,
        dropout: float,
        window: int = 4,
        reach: int | None = None,
        norm: Callable[[int], nn.Module] = ChannelNorm,
    ) -> None:
        super().__init__()
        self.reach = reach
        self.drop = nn.Dropout(dropout)
        self.attn_layers = nn.ModuleList(RelativeAttention(channels, heads, dropout, window) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(norm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(
            FeedForward(channels, filter_channels, kernel_size, dropout) for _ in range(layers)
        )
        self.norm_layers_2 = nn.ModuleList(norm(channels) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        allowed = mask.unsqueeze(2) * mask.unsqueeze(-1)
        if self.reach is not None:
            places = torch.arange(x.shape[2], device=x.device)
            allowed = allowed * ((places[:, None] - places[None, :]).abs() <= self.reach)
        x = x * mask
        for attention, norm_1, feed_forward, norm_2 in zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        ):
            x = norm_1(x + self.drop(attention(x, allowed)))
            x = norm_2(x + self.drop(feed_forward(x, mask)))
        return x * mask


class TextEncoder(nn.Module):
    """ids [B, N], lengths [B] -> hidden [B, C, N], mean [B, D, N], log deviation [B, D, N], mask [B, 1, N]."""

    def __init__(
        self,
        symbols: int,
        outputs: int,
        channels: int,
        filter_channels: int,
        heads: int,
        layers: int,
        kernel_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.emb = nn.Embedding(symbols, channels)
        nn.init.normal_(self.emb.weight, 0.0, channels**-0.5)
        self.encoder = Transformer(channels, filter_channels, heads, layers, kernel_size, dropout)
        self.proj = nn.Conv1d(channels, 2 * outputs, 1)

    def forward(
        self, ids: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        mask = sequence_mask(lengths, ids.shape[1])
        hidden = self.encoder((self.emb(ids) * math.sqrt(self.channels)).transpose(1, 2), mask)
        mean, log_deviation = (self.proj(hidden) * mask).chunk(2, dim=1)
        return hidden, mean, log_deviation, mask
