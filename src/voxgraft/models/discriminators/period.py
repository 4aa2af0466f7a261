"""The period discriminator of HiFi-GAN (Kong et al. 2020, section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.gan_losses import Judgement
from voxgraft.models.weight_norm import normed

SLOPE = 0.1
# Fewer clips than this don't fill a vector; then the phases of a clip are put beside one another too.
FULL_VECTOR = 8


class PeriodDiscriminator(nn.Module):
    """Judges audio [B, 1, T] by every `period`-th sample: -> score [B, n], features [*, C, L, *].

    Nothing is convolved across phases or clips, so they may lie along any axis. As [P, C, L, B], clips side by
    side, float32 convolutions on a CPU take two thirds of the time of HiFi-GAN's [B, C, L, P].
    """

    def __init__(self, period: int, widths: Sequence[int] = (32, 128, 512, 1024, 1024)) -> None:
        super().__init__()
        self.period = period
        inputs, layers = [1, *widths[:-1]], len(widths)
        self.convs = nn.ModuleList(
            normed(nn.Conv2d(i, o, (5, 1), (1 if n == layers - 1 else 3, 1), padding=(2, 0)))
            for n, (i, o) in enumerate(zip(inputs, widths, strict=True))
        )
        self.conv_post = normed(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: torch.Tensor) -> Judgement:
        batch = audio.shape[0]
        x = phases(audio, self.period)
        x = x.permute(3, 1, 2, 0) if batch >= FULL_VECTOR else x.permute(1, 2, 0, 3).flatten(2).unsqueeze(0)
        x = x.contiguous()
        features = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        x = (
            x.permute(3, 1, 2, 0)
            if batch >= FULL_VECTOR
            else x.unflatten(3, (batch, -1)).squeeze(0).permute(2, 0, 1, 3)
        )
        return x.flatten(1), features


def phases(audio: torch.Tensor, period: int) -> torch.Tensor:
    """audio [B, 1, T], extended by reflection to a whole number of periods -> [B, 1, T / period, period]."""
    short = -audio.shape[-1] % period
    if short:
        audio = F.pad(audio, (0, short), mode="reflect")
    return audio.unflatten(-1, (-1, period))
