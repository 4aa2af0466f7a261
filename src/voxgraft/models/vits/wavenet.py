"""The non-causal WaveNet stack of WaveGlow and Glow-TTS, in the posterior encoder and the flow."""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.models.weight_norm import normed


class WaveNet(nn.Module):
    """Gated convolutions with residual and skip paths.

    Each layer reaches `dilation` times as far as the one before; `dropout` falls on what the gates see.
    x [B, C, T], mask [B, 1, T], speaker [B, G, 1] or None -> sum of the skips [B, C, T].
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        layers: int,
        gin_channels: int,
        dilation: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        dilations = [dilation**layer for layer in range(layers)]
        self.reach = (kernel_size - 1) * dilations[-1] // 2
        self.in_layers = nn.ModuleList(
            normed(nn.Conv1d(channels, 2 * channels, kernel_size, dilation=d, padding=(kernel_size - 1) * d // 2))
            for d in dilations
        )
        widths = [2 * channels] * (layers - 1) + [channels]
        self.res_skip_layers = nn.ModuleList(normed(nn.Conv1d(channels, width, 1)) for width in widths)
        if gin_channels:
            self.cond_layer = normed(nn.Conv1d(gin_channels, 2 * channels * layers, 1))

    def forward(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        layers = len(self.in_layers)
        conditions = [None] * layers if speaker is None else self.cond_layer(speaker).chunk(layers, dim=1)
        skips: list[torch.Tensor] = []
        for gate, res_skip, condition in zip(self.in_layers, self.res_skip_layers, conditions, strict=True):
            gated = self.drop(gate(x))
            gated = gated if condition is None else gated + condition
            filtered, opened = gated.chunk(2, dim=1)
            out = res_skip(torch.tanh(filtered) * torch.sigmoid(opened))
            if len(skips) < layers - 1:
                residual, out = out.chunk(2, dim=1)
                x = (x + residual) * mask
            skips.append(out)
        return sum(skips[1:], skips[0]) * mask
