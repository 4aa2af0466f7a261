"""Lighter discriminators for CPUs: thin ones by period, and ones of spectrograms at three resolutions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.discriminators.period import PeriodDiscriminator
from voxgraft.models.discriminators.spectrum import SpectrumDiscriminator

THIN = (16, 32, 64, 128, 128)


class LightDiscriminator(nn.Module):
    """audio [B, 1, T] -> a judgement for each period and each window size (in samples)."""

    def __init__(
        self,
        periods: Sequence[int] = (2, 3, 5, 7, 11),
        period_widths: Sequence[int] = THIN,
        windows: Sequence[int] = (512, 1024, 2048),
        spectrum_width: int = 16,
    ) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            [
                *(PeriodDiscriminator(period, period_widths) for period in periods),
                *(SpectrumDiscriminator(size, spectrum_width) for size in windows),
            ]
        )

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [discriminator(audio) for discriminator in self.discriminators]
