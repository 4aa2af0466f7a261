"""The reference encoders of DelightfulTTS: how a recording sounds as a whole, and symbol by symbol. Training alone uses them.

Letters in shapes: B batch, N symbols, T frames, M mel bands, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.conformer import SLOPE, RelativeAttention, shifted_places, sinusoids
from voxgraft.models.delightful.named import clip_statistics
from voxgraft.models.vits.masks import sequence_mask

_KERNEL = 3
_TOKEN_DEVIATION = 0.5
_MIDDLE = 0.5


class ReferenceEncoder(nn.Module):
    """Convolutions that shorten the recording, then a GRU (Skerry-Ryan et al. 2018, arXiv 1803.09047).

    mel [B, M, T], frames [B] -> states [B, T', G] along time, the last state of each [B, G], and the lengths T' [B]. Unlike
    tts-framework's, normalisations and places along time are a clip's own, whatever padding it has in a batch.
    """

    def __init__(self, mels: int, filters: Sequence[int], strides: Sequence[int], units: int) -> None:
        super().__init__()
        self.strides = (1, *strides)
        widths = [mels, *filters]
        self.convs = nn.ModuleList(
            PlacedConvolution(mels, filters[0])
            if layer == 0
            else nn.Conv1d(widths[layer], widths[layer + 1], _KERNEL, self.strides[layer], _KERNEL // 2)
            for layer in range(len(filters))
        )
        self.norms = nn.ModuleList(nn.InstanceNorm1d(width, affine=True) for width in filters)
        self.gru = nn.GRU(filters[-1], units, batch_first=True)

    def forward(self, mel: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, lengths = mel * sequence_mask(frames, mel.shape[2]), frames
        for layer, (convolution, norm, stride) in enumerate(zip(self.convs, self.norms, self.strides, strict=False)):
            x = convolution(x, lengths) if layer == 0 else convolution(x)
            lengths = -(-lengths // stride)
            mask = sequence_mask(lengths, x.shape[2])
            x = clip_statistics(F.leaky_relu(x, SLOPE), mask, (2,))
            x = (x * norm.weight[:, None] + norm.bias[:, None]) * mask
        states, _ = self.gru(x.transpose(-2, -1))
        last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
        return states, states.gather(1, last).squeeze(1), lengths


class PlacedConvolution(nn.Module):
    """A convolution that is told where along the clip it is (Liu et al. 2018, arXiv 1807.03247).

    `weight` and `bias` of their own, that nothing uses, are kept because tts-framework's checkpoints have them.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        unused = nn.Conv1d(inputs, outputs, _KERNEL)
        self.register_buffer("weight", unused.weight.detach())
        self.register_buffer("bias", unused.bias.detach() if unused.bias is not None else None)
        self.conv = nn.Conv1d(inputs + 2, outputs, _KERNEL, padding=_KERNEL // 2)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """x [B, M, T], lengths [B] -> [B, C, T]."""
        frames = torch.arange(x.shape[2], device=x.device)
        places = 2 * frames / (lengths - 1).clamp(min=1).view(-1, 1, 1) - 1
        inside = sequence_mask(lengths, x.shape[2])
        return self.conv(torch.cat([x, places * inside, (places - _MIDDLE).abs() * inside], dim=1))


class StyleTokens(nn.Module):
    """Attention of one head over learned tokens (Wang et al. 2018, arXiv 1803.09017): [B, C/2] -> [B, 1, C].

    tts-framework and VoiceSmith weigh the clips of a batch against each other in place of the tokens, so that a recording
    alone always sounds the same to them.
    """

    def __init__(self, channels: int, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(_TOKEN_DEVIATION * torch.randn(tokens, channels))
        self.attention = nn.ModuleDict(
            {
                "W_query": nn.Linear(channels // 2, channels, bias=False),
                "W_key": nn.Linear(channels, channels, bias=False),
                "W_value": nn.Linear(channels, channels, bias=False),
            }
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = torch.tanh(self.embed)
        query, key, value = (
            self.attention[name](given) for name, given in (("W_query", x), ("W_key", tokens), ("W_value", tokens))
        )
        weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(tokens.shape[1]), dim=-1)
        return (weights @ value).unsqueeze(1)


class UtteranceProsody(nn.Module):
    """How a recording sounds as a whole: mel [B, M, T], frames [B] -> [B, 1, outputs]."""

    def __init__(
        self,
        mels: int,
        channels: int,
        outputs: int,
        filters: Sequence[int],
        strides: Sequence[int],
        units: int,
        tokens: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = ReferenceEncoder(mels, filters, strides, units)
        self.encoder_prj = nn.Linear(units, channels // 2)
        self.stl = StyleTokens(channels, tokens)
        self.encoder_bottleneck = nn.Linear(channels, outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, mel: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        _, last, _ = self.encoder(mel, frames)
        return self.dropout(self.encoder_bottleneck(self.stl(self.encoder_prj(last))))


class PhonemeProsody(nn.Module):
    """How each symbol sounds: text x [B, N, C] with mask [B, 1, N], mel [B, M, T], frames [B] -> [B, N, outputs]."""

    def __init__(
        self,
        mels: int,
        channels: int,
        heads: int,
        outputs: int,
        filters: Sequence[int],
        strides: Sequence[int],
        units: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = ReferenceEncoder(mels, filters, strides, units)
        self.encoder_prj = nn.Linear(units, channels)
        self.attention = nn.ModuleDict({"attention": RelativeAttention(channels, heads)})
        self.dropout = nn.Dropout(dropout)
        self.encoder_bottleneck = nn.Linear(channels, outputs)

    def forward(
        self, x: torch.Tensor, text_mask: torch.Tensor, mel: torch.Tensor, frames: torch.Tensor
    ) -> torch.Tensor:
        states, _, lengths = self.encoder(mel, frames)
        heard = self.encoder_prj(states)
        mask = sequence_mask(lengths, heard.shape[1])
        positions = sinusoids(heard.shape[1], heard.shape[2], heard.device).to(heard.dtype)
        places = shifted_places(text_mask, mask)
        attended = self.attention["attention"](x, heard, positions, mask, places)
        return self.encoder_bottleneck(self.dropout(attended)) * text_mask.transpose(-2, -1)
