"""Self-attention with relative positions in a window (Shaw et al. 2018), as Glow-TTS and VITS use it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class RelativeAttention(nn.Module):
    """Multi-head self-attention: x [B, C, N], allowed [B, 1, N, N] -> [B, C, N].

    Each pair of positions at most `window` apart gets an embedding of its distance, shared by all heads; with a window of
    0 positions count for nothing.
    """

    def __init__(self, channels: int, heads: int, dropout: float, window: int = 4) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        width = channels // heads
        if window:
            self.emb_rel_k = nn.Parameter(nn.init.normal_(torch.empty(1, 2 * window + 1, width), std=width**-0.5))
            self.emb_rel_v = nn.Parameter(nn.init.normal_(torch.empty(1, 2 * window + 1, width), std=width**-0.5))
        self.conv_q = nn.Conv1d(channels, channels, 1)
        self.conv_k = nn.Conv1d(channels, channels, 1)
        self.conv_v = nn.Conv1d(channels, channels, 1)
        self.conv_o = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)
        for projection in (self.conv_q, self.conv_k, self.conv_v):
            nn.init.xavier_uniform_(projection.weight)

    def forward(self, x: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
        batch, channels, length = x.shape
        q, k, v = (
            projection(x).view(batch, self.heads, channels // self.heads, length).transpose(2, 3)
            for projection in (self.conv_q, self.conv_k, self.conv_v)
        )
        q = q / math.sqrt(channels // self.heads)
        scores = q @ k.transpose(2, 3)
        if self.window:
            scores = scores + band_to_square(q @ self.emb_rel_k.transpose(1, 2), self.window)
        weights = self.drop(scores.masked_fill(allowed == 0, -1e4).softmax(-1))
        out = weights @ v
        if self.window:
            out = out + square_to_band(weights, self.window) @ self.emb_rel_v
        return self.conv_o(out.transpose(2, 3).reshape(batch, channels, length))


def band_to_square(band: torch.Tensor, window: int) -> torch.Tensor:
    """Values by distance to values by position: [B, H, N, 2W+1] -> [B, H, N, N], 0 beyond the window.

    Rows are padded to one element more than they are read back with, so each is shifted one further than the last.
    """
    batch, heads, length, _ = band.shape
    columns = length + 2 * window
    flat = F.pad(band, (0, length)).reshape(batch, heads, length * (columns + 1))
    return flat[:, :, : length * columns].view(batch, heads, length, columns)[..., window : window + length]


def square_to_band(square: torch.Tensor, window: int) -> torch.Tensor:
    """Values by position to values by distance: [B, H, N, N] -> [B, H, N, 2W+1]; the reverse of `band_to_square`."""
    batch, heads, length, _ = square.shape
    columns = length + 2 * window
    flat = F.pad(square, (window, window)).reshape(batch, heads, length * columns)
    return F.pad(flat, (0, length)).view(batch, heads, length, columns + 1)[..., : 2 * window + 1]
