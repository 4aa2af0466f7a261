"""Global style tokens (Wang et al. 2018): how something is said, read off a recording or taken from the first token.

Letters in shapes: B batch, M mel bands, T frames, C channels, S style tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


class ReferenceEncoder(nn.Module):
    """mel [B, M, T] -> what is characteristic of it [B, units]."""

    def __init__(self, mels: int, convolutions: Sequence[int], units: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *convolutions[:-1]), convolutions, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            mels = (mels - 1) // 2 + 1
        self.convs = nn.Sequential(*layers)
        self.gru = nn.GRU(mels * convolutions[-1], units, batch_first=True)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = self.convs(mel.transpose(1, 2).unsqueeze(1)).transpose(1, 2)
        _, last = self.gru(x.flatten(2))
        return last[-1]


class TokenAttention(nn.Module):
    """Multi-head attention of one query: query [B, 1, units], tokens [S, width] -> [B, heads * width]."""

    def __init__(self, units: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.linear_q = nn.Linear(units, heads * width)
        self.linear_k = nn.Linear(width, heads * width)
        self.linear_v = nn.Linear(width, heads * width)
        self.linear_out = nn.Linear(heads * width, heads * width)

    def forward(self, query: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        q = self.linear_q(query).view(-1, self.heads, 1, self.width)
        k, v = (linear(tokens).view(-1, self.heads, self.width) for linear in (self.linear_k, self.linear_v))
        weights = (q @ k.permute(1, 2, 0) / math.sqrt(self.width)).softmax(-1)
        return self.linear_out((weights @ v.transpose(0, 1)).flatten(1))


class StyleTokens(nn.Module):
    """The tokens and what chooses among them."""

    def __init__(self, channels: int, units: int, tokens: int, heads: int) -> None:
        super().__init__()
        self.gst_embs = nn.Parameter(torch.randn(tokens, channels // heads))
        self.mha = TokenAttention(units, channels // heads, heads)

    def forward(self, reference: torch.Tensor) -> torch.Tensor:
        """reference [B, units] -> style [B, C]."""
        return self.mha(reference.unsqueeze(1), torch.tanh(self.gst_embs))


class StyleEncoder(nn.Module):
    """mel [B, M, T] -> style [B, C], to be added to the encoded text."""

    def __init__(
        self, mels: int, channels: int, tokens: int, heads: int, units: int, convolutions: Sequence[int]
    ) -> None:
        super().__init__()
        self.ref_enc = ReferenceEncoder(mels, convolutions, units)
        self.stl = StyleTokens(channels, units, tokens, heads)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return self.stl(self.ref_enc(mel))

    def token(self, batch: int, index: int = 0) -> torch.Tensor:
        """The style [batch, C] of one token alone, for where there is no recording to follow."""
        attention = self.stl.mha
        style = attention.linear_out(attention.linear_v(torch.tanh(self.stl.gst_embs[index])))
        return style.expand(batch, -1)
