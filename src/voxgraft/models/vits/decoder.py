"""The decoder: latent to waveform, the generator of HiFi-GAN (Kong et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.weight_norm import NormedConv, normed

SLOPE = 0.1
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


class Decoder(nn.Module):
    """latent [B, D, T], speaker [B, G, 1] or None -> audio [B, 1, T * product(upsample_rates)] in -1..1.

    HiFi-GAN has weight norm on the first and last convolution (`normed_ends`) and a bias on the last; VITS has neither.
    """

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
        normed_ends: bool = False,
        post_bias: bool = False,
    ) -> None:
        super().__init__()
        self.branches = len(resblock_kernels)
        conv_pre = nn.Conv1d(channels, upsample_initial_channel, 7, padding=3)
        self.conv_pre = normed(conv_pre) if normed_ends else conv_pre
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        width = upsample_initial_channel
        for rate, kernel in zip(upsample_rates, upsample_kernels, strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            self.ups.append(normed(up, INITIAL_SPREAD))
            width //= 2
            for size, dilations in zip(resblock_kernels, resblock_dilations, strict=True):
                self.resblocks.append(RESBLOCKS[resblock](width, size, dilations))
        conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=post_bias)
        self.conv_post = normed(conv_post, INITIAL_SPREAD) if normed_ends else conv_post
        if gin_channels:
            self.cond = nn.Conv1d(gin_channels, upsample_initial_channel, 1)

    def forward(self, x: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        x = self.conv_pre(x)
        if speaker is not None:
            x = x + self.cond(speaker)
        beside = pays(x)
        if beside:
            x = lay_side_by_side(x)
        for stage, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, SLOPE))
            blocks = self.resblocks[stage * self.branches : (stage + 1) * self.branches]
            activated = F.leaky_relu(x, SLOPE)
            x = sum(block(x, activated) for block in blocks) / self.branches
        x = F.leaky_relu(x, 0.01)
        if not beside or isinstance(self.conv_post, NormedConv):
            audio = self.conv_post(x)
        else:
            audio = F.conv2d(x, self.conv_post.weight.unsqueeze(-1), self.conv_post.bias, padding=(3, 0))
        return torch.tanh(take_apart(audio) if beside else audio)
