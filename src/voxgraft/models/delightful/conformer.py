"""The conformer of DelightfulTTS, told at every block who speaks in which language. Letters: B batch, T time, C channels.

Unlike tts-framework's and VoiceSmith's, a clip in a batch is the clip alone: theirs convolve, normalise and place by
distance over whatever padding a batch happens to have.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.named import Separable, clip_statistics, kept, wrapped

SLOPE = 0.3
_FEED_FORWARD_KERNEL = 3
_FEED_FORWARD_FACTOR = 4
_NEVER = -1e9


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

    def forward(self, x: torch.Tensor, condition: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D], mask [B, 1, T] or None where every clip is T long -> [B, T, C]."""
        positions = sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype)
        places = None if mask is None else shifted_places(mask, mask)
        for block in self.layer_stack:
            x = block(x, condition, positions, mask, places)
        return x if mask is None else x * mask.transpose(-2, -1)


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

    def forward(
        self,
        x: torch.Tensor,
        condition: torch.Tensor,
        positions: torch.Tensor,
        mask: torch.Tensor | None = None,
        places: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D], positions [T, C], mask [B, 1, T], places of `shifted_places` -> [B, T, C]."""
        x = self.conditioning(x, condition, mask)
        if self.ff is not None:
            x = x + self.ff(x, mask)
        x = x + self.conformer_conv_1(x, mask)
        attended = self.slf_attn["attention"](self.ln(x), None, positions, mask, places)
        x = x + self.dropout(attended)
        return x + self.conformer_conv_2(x, mask)


class Conditioning(nn.Module):
    """A gated convolution whose open half is shifted by speaker and language (Ping et al. 2018, arXiv 1710.07654)."""

    def __init__(self, channels: int, kernel: int, condition_channels: int) -> None:
        super().__init__()
        self.bsconv1d = Separable(channels, 2 * channels, kernel)
        self.embedding_proj = nn.Linear(condition_channels, channels)

    def forward(self, x: torch.Tensor, condition: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, T, C], condition [B, 1, D], mask [B, 1, T] -> [B, T, C]."""
        opened, gate = self.bsconv1d(x.transpose(-2, -1), mask).transpose(-2, -1).chunk(2, dim=-1)
        moved = opened + F.softsign(self.embedding_proj(condition))
        return (x + moved * torch.sigmoid(gate)) * math.sqrt(0.5)


class FeedForward(nn.Module):
    """Half of what two convolutions make of x."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        wide = _FEED_FORWARD_FACTOR * channels
        self.ln = nn.LayerNorm(channels)
        self.conv_1 = nn.Conv1d(channels, wide, _FEED_FORWARD_KERNEL, padding=_FEED_FORWARD_KERNEL // 2)
        self.conv_2 = nn.Conv1d(wide, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, T, C], mask [B, 1, T] -> [B, T, C]."""
        wide = self.dropout(F.leaky_relu(self.conv_1(kept(self.ln(x).transpose(-2, -1), mask)), SLOPE))
        return 0.5 * self.dropout(self.conv_2(wide)).transpose(-2, -1)


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

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, T, C], mask [B, 1, T] -> [B, T, C]."""
        opened, gate = self.conv_1(self.ln_1(x).transpose(-2, -1)).chunk(2, dim=1)
        wide = self.depthwise(kept(opened * F.leaky_relu(gate, SLOPE), mask))
        if mask is None:
            wide = self.ln_2(wide)
        else:
            wide = clip_statistics(wide, mask, (1, 2)) * self.ln_2.weight[:, None] + self.ln_2.bias[:, None]
        return self.dropout(self.conv_2(F.leaky_relu(wide, SLOPE))).transpose(-2, -1)


class RelativeAttention(nn.Module):
    """Attention with relative positions (Dai et al. 2019, arXiv 1901.02860), scaled by the width of all heads."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.channels = heads, channels
        self.query_proj = nn.Linear(channels, channels)
        self.key_proj = nn.Linear(channels, channels, bias=False)
        self.value_proj = nn.Linear(channels, channels, bias=False)
        self.pos_proj = nn.Linear(channels, channels, bias=False)
        self.out_proj = nn.Linear(channels, channels)
        self.u_bias = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels // heads)))
        self.v_bias = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels // heads)))

    def forward(
        self,
        x: torch.Tensor,
        heard: torch.Tensor | None,
        positions: torch.Tensor,
        mask: torch.Tensor | None = None,
        places: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """x [B, N, C] attends to `heard` [B, T, C], or to itself; positions [T, C], mask [B, 1, T] of what is heard, places of
        `shifted_places` -> [B, N, C]."""
        heard = x if heard is None else heard
        query, key, value, position = map(
            self._by_head,
            (self.query_proj(x), self.key_proj(heard), self.value_proj(heard), self.pos_proj(positions.unsqueeze(0))),
        )
        content = (query + self.u_bias.unsqueeze(1)) @ key.transpose(-2, -1)
        by_place = (query + self.v_bias.unsqueeze(1)) @ position.transpose(-2, -1)
        placed = shifted(by_place) if places is None else shifted_each(by_place, places)
        scores = (content + placed) / math.sqrt(self.channels)
        if mask is not None:
            scores = scores.masked_fill(mask.unsqueeze(1) == 0, _NEVER)
        found = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2)
        return self.out_proj(found.reshape(found.shape[0], found.shape[1], self.channels))

    def _by_head(self, rows: torch.Tensor) -> torch.Tensor:
        """[B, T, C] -> [B, H, T, C / H]."""
        return rows.view(rows.shape[0], rows.shape[1], self.heads, self.channels // self.heads).transpose(1, 2)


def shifted(scores: torch.Tensor) -> torch.Tensor:
    """Scores by absolute position, [B, H, N, T], moved so that each row's own place comes last in what it sees.

    A column of zeros goes before the first; read through row by row, the first N numbers then drop out.
    """
    batch, heads, high, wide = scores.shape
    flat = F.pad(scores, (1, 0)).reshape(batch, heads, high * (wide + 1))
    return flat[:, :, high:].reshape(batch, heads, high, wide)


def shifted_places(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Where `shifted` finds each score, were a clip as long as it is: masks [B, 1, N] and [B, 1, T] -> [B, N * T], int64.

    Counted in the padded scores with their column of zeros, read through row by row.
    """
    high, wide = rows.shape[-1], columns.shape[-1]
    own_high, own_wide = (mask.sum(-1).long().view(-1, 1, 1) for mask in (rows, columns))
    i = torch.arange(high, device=rows.device)[:, None]
    j = torch.arange(wide, device=rows.device)[None, :]
    place = i * own_wide + j + own_high
    row, column = place // (own_wide + 1), place % (own_wide + 1)
    # What lies in the padding is read from wherever there is something; nobody attends to it.
    return (row.clamp(max=high - 1) * (wide + 1) + column).flatten(1)


def shifted_each(scores: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """`shifted` for clips of different lengths: scores [B, H, N, T], places [B, N * T] -> [B, H, N, T]."""
    flat = F.pad(scores, (1, 0)).flatten(-2)
    return flat.gather(-1, places.unsqueeze(1).expand(-1, scores.shape[1], -1)).view_as(scores)


def sinusoids(length: int, channels: int, device: torch.device | None = None) -> torch.Tensor:
    """Positions as sines and cosines by turns (Vaswani et al. 2017): [length, channels]."""
    rates = torch.exp(torch.arange(0, channels, 2, device=device) * (-math.log(10000.0) / channels))
    angles = torch.arange(length, device=device).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)[:, :channels]
