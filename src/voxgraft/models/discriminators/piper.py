"""The discriminators that Piper trains with: HiFi-GAN's, one at full scale and five by period, with Piper's names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.discriminators.period import SLOPE, PeriodDiscriminator
from voxgraft.models.gan_losses import Judgement
from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.weight_norm import normed

PERIODS = (2, 3, 5, 7, 11)


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
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        return (take_apart(x) if x.dim() == 4 else x).flatten(1), features


class PiperDiscriminator(nn.Module):
    """audio [B, 1, T] -> six judgements; 46.7 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList([ScaleDiscriminator(), *(PeriodDiscriminator(p) for p in PERIODS)])

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [discriminator(audio) for discriminator in self.discriminators]
