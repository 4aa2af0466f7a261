"""The postnet of Tacotron 2 (Shen et al. 2018): convolutions that add detail to a mel spectrogram.

Letters in shapes: B batch, M mel bands, T frames, C channels.
"""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.models.dropout import dropout


class NamedConv(nn.Module):
    """A convolution that keeps the length, [B, inputs, T] -> [B, outputs, T], under the name `conv`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, gain: str = "linear") -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        nn.init.xavier_uniform_(self.conv.weight, nn.init.calculate_gain(gain))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Postnet(nn.Module):
    """mel [B, M, T] -> what to add to it [B, M, T]."""

    def __init__(self, mels: int, channels: int, layers: int, kernel: int) -> None:
        super().__init__()
        widths = [mels, *[channels] * (layers - 1), mels]
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                NamedConv(widths[i], widths[i + 1], kernel, "tanh" if i < layers - 1 else "linear"),
                nn.BatchNorm1d(widths[i + 1]),
            )
            for i in range(layers)
        )

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        last = len(self.convolutions) - 1
        for i, convolution in enumerate(self.convolutions):
            mel = convolution(mel) if i == last else torch.tanh(convolution(mel))
            mel = dropout(mel, 0.5, self.training)
        return mel
