"""The multi-scale discriminator of HiFi-GAN (Kong et al. 2020, section 2.3), under its authors' names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.discriminators.period import SLOPE
from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.spectral_norm import SpectralConv1d
from voxgraft.models.weight_norm import normed

# (outputs, kernel, stride, groups) of each convolution; its input is what the one before gives.
LAYERS = (
    (128, 15, 1, 1), (128, 41, 2, 4), (256, 41, 2, 16), (512, 41, 4, 16), (1024, 41, 4, 16), (1024, 41, 1, 16), (1024, 5, 1, 1),
)  # fmt: skip


class ScaleDiscriminator(nn.Module):
    """Judges audio [B, 1, T] by grouped convolutions: -> score [B, n], features [B, C, L] or, of clips side by side,
    [1, C, L, B].

    Measured with 8 clips of 8192 samples on a CPU: side by side, forward and back take half the time.
    """

    def __init__(self, layers: Sequence[tuple[int, int, int, int]] = LAYERS, *, spectral: bool = False) -> None:
        super().__init__()
        self.convs = nn.ModuleList()
        width = 1
        for outputs, kernel, stride, groups in layers:
            plain = nn.Conv1d(width, outputs, kernel, stride, groups=groups, padding=kernel // 2)
            self.convs.append(SpectralConv1d(plain) if spectral else normed(plain))
            width = outputs
        last = nn.Conv1d(width, 1, 3, padding=1)
        self.conv_post = SpectralConv1d(last) if spectral else normed(last)

    def forward(self, audio: torch.Tensor) -> Judgement:
        x, features = audio, []
        for number, conv in enumerate(self.convs):
            if number == 1 and pays(x):
                x = lay_side_by_side(x)
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        return (take_apart(x) if x.dim() == 4 else x).flatten(1), features


class MultiScaleDiscriminator(nn.Module):
    """audio [B, 1, T] -> a judgement at full rate (spectral norm), at half and at a quarter of it (weight norm)."""

    def __init__(self, scales: int = 3, layers: Sequence[tuple[int, int, int, int]] = LAYERS) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(ScaleDiscriminator(layers, spectral=n == 0) for n in range(scales))

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        found = []
        for number, discriminator in enumerate(self.discriminators):
            if number:
                audio = F.avg_pool1d(audio, 4, 2, padding=2)
            found.append(discriminator(audio))
        return found
