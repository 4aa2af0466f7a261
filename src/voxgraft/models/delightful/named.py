"""named: submodules under the names that checkpoints give them; and convolutions that leave padding alone."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn


def named(**modules: nn.Module) -> nn.Sequential:
    """A chain whose links have names."""
    return nn.Sequential(OrderedDict(modules))


def wrapped(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the length, under the name `conv`: [B, inputs, T] -> [B, outputs, T]."""
    return named(conv=nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, groups=groups))


class Separable(nn.Module):
    """A blueprint-separable convolution (Haase and Amthor 2020, arXiv 2003.13549): first across channels, then along time.

    x [B, inputs, T], mask [B, 1, T] or None -> [B, outputs, T].
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.pointwise = wrapped(inputs, outputs, 1)
        self.depthwise = wrapped(outputs, outputs, kernel, outputs)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return self.depthwise(kept(self.pointwise(x), mask))


def kept(x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """x where there is something, 0 in the padding: x [B, C, T], mask [B, 1, T]; all of x without a mask."""
    return x if mask is None else x * mask


def clip_statistics(x: torch.Tensor, mask: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """x [B, C, T] less its mean and over its deviation along `axes`, padding apart; 0 in the padding."""
    x = x.float()
    count = mask.expand_as(x).sum(axes, keepdim=True).clamp(min=1)
    mean = (x * mask).sum(axes, keepdim=True) / count
    centred = (x - mean) * mask
    return centred * torch.rsqrt(centred.square().sum(axes, keepdim=True) / count + 1e-5)
