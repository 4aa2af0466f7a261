"""The decoder: latent to waveform, the generator of HiFi-GAN (Kong et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.weight_norm import normed

SLOPE = 0.1
LAST_SLOPE = 0.01
INITIAL_SPREAD = 0.01


def _dilated(channels: int, kernel: int, dilation: int) -> nn.Module:
    padding = (kernel - 1) * dilation // 2
    return normed(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding), INITIAL_SPREAD)


class ResBlock1(nn.Module):
    """HiFi-GAN's residual block of pairs, a dilated and a plain convolution: x and leaky_relu(x) [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_dilated(channels, kernel, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(_dilated(channels, kernel, 1) for _ in dilations)

    def forward(self, x: torch.Tensor, activated: torch.Tensor) -> torch.Tensor:
        for layer, (dilated, plain) in enumerate(zip(self.convs1, self.convs2, strict=True)):
            if layer:
                activated = F.leaky_relu(x, SLOPE)
            x = x + plain(F.leaky_relu(dilated(activated), SLOPE))
        return x


class ResBlock2(nn.Module):
    """HiFi-GAN's small residual block of single dilated convolutions: x and leaky_relu(x) [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_dilated(channels, kernel, dilation) for dilation in dilations)

    def forward(self, x: torch.Tensor, activated: torch.Tensor) -> torch.Tensor:
        for layer, dilated in enumerate(self.convs):
            if layer:
                activated = F.leaky_relu(x, SLOPE)
            x = x + dilated(activated)
        return x


RESBLOCKS = {"1": ResBlock1, "2": ResBlock2}


def upsampling(
    channels: int,
    rates: Sequence[int],
    kernels: Sequence[int],
    resblock: str,
    resblock_kernels: Sequence[int],
    resblock_dilations: Sequence[Sequence[int]],
) -> tuple[nn.ModuleList, nn.ModuleList, int]:
    """The stages that lengthen [B, channels, T], each halving the channels: upsamplers, residual blocks, last width."""
    ups, blocks = nn.ModuleList(), nn.ModuleList()
    width = channels
    for rate, kernel in zip(rates, kernels, strict=True):
        up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
        ups.append(normed(up, INITIAL_SPREAD))
        width //= 2
        for size, dilations in zip(resblock_kernels, resblock_dilations, strict=True):
            blocks.append(RESBLOCKS[resblock](width, size, dilations))
    return ups, blocks, width


def upsample(x: torch.Tensor, ups: nn.ModuleList, resblocks: nn.ModuleList) -> torch.Tensor:
    """[B, C, T], or clips side by side -> the activated output of the last stage, product(rates) times as long."""
    branches = len(resblocks) // len(ups)
    for stage, up in enumerate(ups):
        x = up(F.leaky_relu(x, SLOPE))
        blocks = resblocks[stage * branches : (stage + 1) * branches]
        activated = F.leaky_relu(x, SLOPE)
        x = sum(block(x, activated) for block in blocks) / branches
    return F.leaky_relu(x, LAST_SLOPE)


class Decoder(nn.Module):
    """latent [B, D, T], speaker [B, G, 1] or None -> audio [B, 1, T * product(upsample_rates)] in -1..1."""

    def __init__(
        self,
        channels: int,
        resblock: str,
        resblock_kernels: Sequence[int],
        resblock_dilations: Sequence[Sequence[int]],
        upsample_rates: Sequence[int],
        upsample_initial_channel: int,
        upsample_kernels: Sequence[int],
        gin_channels: int,
    ) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(channels, upsample_initial_channel, 7, padding=3)
        self.ups, self.resblocks, width = upsampling(
            upsample_initial_channel, upsample_rates, upsample_kernels, resblock, resblock_kernels, resblock_dilations
        )
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)
        if gin_channels:
            self.cond = nn.Conv1d(gin_channels, upsample_initial_channel, 1)

    def forward(self, x: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        x = self.conv_pre(x)
        if speaker is not None:
            x = x + self.cond(speaker)
        beside = pays(x)
        x = upsample(lay_side_by_side(x) if beside else x, self.ups, self.resblocks)
        if beside:
            audio = F.conv2d(x, self.conv_post.weight.unsqueeze(-1), padding=(3, 0))
            return torch.tanh(take_apart(audio))
        return torch.tanh(self.conv_post(x))
