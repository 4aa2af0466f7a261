"""named: submodules under the names that checkpoints give them, run one after the other."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def named(**modules: nn.Module) -> nn.Sequential:
    """A chain whose links have names."""
    return nn.Sequential(OrderedDict(modules))


def wrapped(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the length, under the name `conv`: [B, inputs, T] -> [B, outputs, T]."""
    return named(conv=nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, groups=groups))


def separable(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """A blueprint-separable convolution (Haase and Amthor 2020, arXiv 2003.13549): first across channels, then along time."""
    return named(pointwise=wrapped(inputs, outputs, 1), depthwise=wrapped(outputs, outputs, kernel, outputs))
