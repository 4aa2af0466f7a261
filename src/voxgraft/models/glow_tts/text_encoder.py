"""The text encoder of Glow-TTS (section 3.3) with its duration predictor, and the other encoders that Coqui TTS offers.

Letters in shapes: B batch, N symbols, C channels, M mel bands, G channels of a speaker's vector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.glow_tts.norm import GlowNorm
from voxgraft.models.vits.channel_norm import ChannelNorm
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.models.vits.text_encoder import Transformer

TRANSFORMER, GATED, RESIDUAL, SEPARABLE = (
    "rel_pos_transformer",
    "gated_conv",
    "residual_conv_bn",
    "time_depth_separable",
)
KINDS = (TRANSFORMER, GATED, RESIDUAL, SEPARABLE)
_PRENET_KERNEL, _PRENET_LAYERS, _PRENET_DROPOUT = 5, 3, 0.5
_DURATION_KERNEL = 3


class TextEncoding(NamedTuple):
    """mean and log_deviation [B, M, N] of each symbol's frames, log_durations [B, N] of one more frame, mask [B, 1, N]."""

    mean: torch.Tensor
    log_deviation: torch.Tensor
    log_durations: torch.Tensor
    mask: torch.Tensor


class TextEncoder(nn.Module):
    """ids [B, N] int64, lengths [B], speaker [B, G, 1] or None -> TextEncoding.

    `kind` is one of KINDS; what only another kind has is not looked at. A model of `mean_only` has a deviation of 1.
    """

    def __init__(
        self,
        *,
        symbols: int,
        mels: int,
        channels: int,
        kind: str,
        prenet: bool,
        layers: int,
        heads: int,
        filter_channels: int,
        kernel: int,
        window: int,
        reach: int | None,
        norm: str,
        dilations: Sequence[int],
        convolutions: int,
        dropout: float,
        mean_only: bool,
        duration_channels: int,
        duration_dropout: float,
        speaker_channels: int,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.emb = nn.Embedding(symbols, channels)
        nn.init.normal_(self.emb.weight, 0.0, channels**-0.5)
        if prenet and kind in (TRANSFORMER, SEPARABLE):
            self.prenet = Prenet(channels)
        if kind == TRANSFORMER:
            norms = {"1": GlowNorm, "2": ChannelNorm}
            self.encoder: nn.Module = Transformer(
                channels, filter_channels, heads, layers, kernel, dropout, window, reach, norms[norm]
            )
        elif kind == GATED:
            self.encoder = GatedConvolutions(channels, kernel, layers, dropout)
        elif kind == RESIDUAL:
            self.encoder = ResidualConvolutions(channels, kernel, dilations, convolutions)
            self.postnet = nn.Sequential(nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels))
        elif kind == SEPARABLE:
            self.encoder = SeparableConvolutions(channels, kernel, layers)
        else:
            raise ValueError(f"there is no text encoder {kind!r}: it is one of {', '.join(KINDS)}")
        self.proj_m = nn.Conv1d(channels, mels, 1)
        if not mean_only:
            self.proj_s = nn.Conv1d(channels, mels, 1)
        self.duration_predictor = DurationPredictor(channels + speaker_channels, duration_channels, duration_dropout)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor, speaker: torch.Tensor | None = None) -> TextEncoding:
        mask = sequence_mask(lengths, ids.shape[1])
        x = (self.emb(ids) * math.sqrt(self.channels)).transpose(1, 2)
        if hasattr(self, "prenet"):
            x = self.prenet(x, mask)
        x = self.encoder(x, mask)
        if hasattr(self, "postnet"):
            x = self.postnet(x) * mask
        mean = self.proj_m(x) * mask
        log_deviation = self.proj_s(x) * mask if hasattr(self, "proj_s") else torch.zeros_like(mean)
        # Durations are learned from what the encoder says, and change nothing in it.
        known = x.detach()
        if speaker is not None:
            known = torch.cat([known, speaker.expand(-1, -1, ids.shape[1])], 1)
        return TextEncoding(mean, log_deviation, self.duration_predictor(known, mask), mask)


class Prenet(nn.Module):
    """Convolutions around which x goes too: x [B, C, N], mask [B, 1, N] -> [B, C, N]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            nn.Conv1d(channels, channels, _PRENET_KERNEL, padding=_PRENET_KERNEL // 2) for _ in range(_PRENET_LAYERS)
        )
        self.norm_layers = nn.ModuleList(GlowNorm(channels) for _ in range(_PRENET_LAYERS))
        self.drop = nn.Dropout(_PRENET_DROPOUT)
        self.proj = nn.Conv1d(channels, channels, 1)
        nn.init.zeros_(self.proj.weight)
        nn.init.zeros_(self.proj.bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = x
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            hidden = self.drop(torch.relu(norm(convolution(hidden * mask) * mask)))
        return (x + self.proj(hidden)) * mask


class DurationPredictor(nn.Module):
    """x [B, C, N], mask [B, 1, N] -> the logarithm of one more than the frames of each symbol, [B, N]."""

    def __init__(self, inputs: int, channels: int, dropout: float) -> None:
        super().__init__()
        pad = _DURATION_KERNEL // 2
        self.conv_1 = nn.Conv1d(inputs, channels, _DURATION_KERNEL, padding=pad)
        self.norm_1 = GlowNorm(channels)
        self.conv_2 = nn.Conv1d(channels, channels, _DURATION_KERNEL, padding=pad)
        self.norm_2 = GlowNorm(channels)
        self.drop = nn.Dropout(dropout)
        self.proj = nn.Conv1d(channels, 1, 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.drop(self.norm_1(torch.relu(self.conv_1(x * mask))))
        x = self.drop(self.norm_2(torch.relu(self.conv_2(x * mask))))
        return (self.proj(x * mask) * mask).squeeze(1)


class GatedConvolutions(nn.Module):
    """Gated convolutions with residuals (Dauphin et al. 2017, arXiv 1612.08083): x [B, C, N], mask [B, 1, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2) for _ in range(layers)
        )
        self.norm_layers = nn.ModuleList(GlowNorm(2 * channels) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            x = x + F.glu(norm(convolution(self.drop(x) * mask)), dim=1)
        return x


class NormedConvolution(nn.Module):
    """A convolution, a ReLU and a batch normalisation: x [B, C, N] -> [B, C, N].

    Where its kernel would reach beyond the ends it gives 0: Coqui TTS pads after it, not before.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        missing = dilation * (kernel - 1)
        self.before, self.after = missing // 2, missing - missing // 2
        self.conv1d = nn.Conv1d(channels, channels, kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = torch.arange(x.shape[2], device=x.device)
        whole = (places >= self.before) & (places < x.shape[2] - self.after)
        convolved = self.conv1d(F.pad(x, (self.before, self.after)))
        return self.norm(torch.relu(convolved) * whole)


class ConvolutionBlock(nn.Module):
    """Several normed convolutions one after the other: x [B, C, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int, dilation: int, convolutions: int) -> None:
        super().__init__()
        self.conv_bn_blocks = nn.Sequential(
            *(NormedConvolution(channels, kernel, dilation) for _ in range(convolutions))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv_bn_blocks(x)


class ResidualConvolutions(nn.Module):
    """Blocks of convolutions with residuals, each dilated in its own way: x [B, C, N], mask [B, 1, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int], convolutions: int) -> None:
        super().__init__()
        self.res_blocks = nn.ModuleList(
            ConvolutionBlock(channels, kernel, dilation, convolutions) for dilation in dilations
        )

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = x * mask
        for block in self.res_blocks:
            x = (block(x) + x) * mask
        return x


class SeparableConvolution(nn.Module):
    """A time-depth separable convolution (Hannun et al. 2019, arXiv 1904.02619): x [B, C, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.time_conv = nn.Conv1d(channels, 2 * channels, 1)
        self.norm1 = nn.BatchNorm1d(2 * channels)
        self.depth_conv = nn.Conv1d(channels, channels, kernel, padding=(kernel - 1) // 2, groups=channels)
        self.norm2 = nn.BatchNorm1d(channels)
        self.time_conv2 = nn.Conv1d(channels, channels, 1)
        self.norm3 = nn.BatchNorm1d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = F.glu(self.norm1(self.time_conv(x)), dim=1)
        hidden = F.silu(self.norm2(self.depth_conv(hidden)))
        return x + self.norm3(self.time_conv2(hidden))


class SeparableConvolutions(nn.Module):
    """Layers of them: x [B, C, N], mask [B, 1, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(SeparableConvolution(channels, kernel) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x * mask)
        return x
