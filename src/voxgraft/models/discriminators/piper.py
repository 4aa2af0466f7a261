"""The discriminators that Piper trains with: HiFi-GAN's, one at full scale and five by period, with Piper's names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.discriminators.period import PERIODS, SLOPE, PeriodDiscriminator
from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.weight_norm import NormedConv, normed


class ScaleDiscriminator(nn.Module):
    """Judges audio [B, 1, T] at full rate by grouped convolutions: -> score [B, n], features (Kong et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                normed(nn.Conv1d(1, 16, 15, padding=7)),
                normed(nn.Conv1d(16, 64, 41, 4, groups=4, padding=20)),
                normed(nn.Conv1d(64, 256, 41, 4, groups=16, padding=20)),
                normed(nn.Conv1d(256, 1024, 41, 4, groups=64, padding=20)),
                normed(nn.Conv1d(1024, 1024, 41, 4, groups=256, padding=20)),
                normed(nn.Conv1d(1024, 1024, 5, padding=2)),
            ]
        )
        self.conv_post = normed(nn.Conv1d(1024, 1, 3, padding=1))

    def forward(self, audio: torch.Tensor) -> Judgement:
        x, features = audio, []
        for conv in self.convs:
            if conv.groups == 1 and x.dim() == 3 and x.shape[1] > 1 and pays(x):
                x = lay_side_by_side(x)
            blockwise = x.device.type == "cpu" and conv.groups > 1 and conv.bias.shape[0] // conv.groups >= 16
            x = F.leaky_relu(strided_in_blocks(conv, x) if blockwise else conv(x), SLOPE, inplace=True)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        return (take_apart(x) if x.dim() == 4 else x).flatten(1), features


def strided_in_blocks(conv: NormedConv, x: torch.Tensor) -> torch.Tensor:
    """conv(x) for a kernel of 41 and a stride of 4, at half the time: oneDNN wants 16 channels a group, not 4.

    Blocks of four samples become channels, the kernel, lengthened by three zeros, eleven blocks: [B, C, T] as
    [B, 4C, T / 4] without a stride.
    """
    stride = 4
    x = F.pad(x, (0, -x.shape[-1] % stride)).unflatten(2, (-1, stride)).transpose(2, 3).flatten(1, 2)
    weight = conv.effective_weight()
    weight = F.pad(weight, (0, -weight.shape[-1] % stride)).unflatten(2, (-1, stride)).transpose(2, 3).flatten(1, 2)
    return F.conv1d(x, weight, conv.bias, padding=weight.shape[-1] // 2, groups=conv.groups)


class PiperDiscriminator(nn.Module):
    """audio [B, 1, T] -> six judgements; 46.7 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList([ScaleDiscriminator(), *(PeriodDiscriminator(p) for p in PERIODS)])

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [discriminator(audio) for discriminator in self.discriminators]
