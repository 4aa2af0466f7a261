"""The multi-resolution spectrogram discriminator of UnivNet (Jang et al. 2021, section 2.2), under maum-ai's names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.spectral import full
from voxgraft.models.weight_norm import normed

SLOPE = 0.2
# Points of the transform, hop and window, in samples.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))


class ResolutionDiscriminator(nn.Module):
    """Judges audio [B, 1, T] by its magnitudes at one resolution: -> score [B, n], features [B, C, bins, frames].

    The window is rectangular, as in the implementations whose weights there are.
    """

    def __init__(self, points: int, hop: int, window: int, width: int = 32) -> None:
        super().__init__()
        self.points, self.hop = points, hop
        self.register_buffer("window", torch.ones(window), persistent=False)
        self.convs = nn.ModuleList(
            [
                normed(nn.Conv2d(1, width, (3, 9), padding=(1, 4))),
                *(normed(nn.Conv2d(width, width, (3, 9), stride=(1, 2), padding=(1, 4))) for _ in range(3)),
                normed(nn.Conv2d(width, width, (3, 3), padding=(1, 1))),
            ]
        )
        self.conv_post = normed(nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    def forward(self, audio: torch.Tensor) -> Judgement:
        x, features = self._magnitudes(audio), []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        return x.flatten(1), features

    def _magnitudes(self, audio: torch.Tensor) -> torch.Tensor:
        """audio [B, 1, T] -> [B, 1, bins, frames]; half precision in float32, also under autocast."""
        with torch.autocast(audio.device.type, enabled=False):
            margin = (self.points - self.hop) // 2
            padded = F.pad(full(audio), (margin, margin), mode="reflect").squeeze(1)
            spectrum = torch.stft(
                padded, self.points, self.hop, len(self.window), self.window, center=False, return_complex=True
            )
            # Without the floor the gradient of a root is infinite in digital silence.
            return (torch.view_as_real(spectrum).square().sum(-1) + 1e-9).sqrt().unsqueeze(1)


class MultiResolutionDiscriminator(nn.Module):
    """audio [B, 1, T] -> a judgement at each resolution (points, hop, window)."""

    def __init__(self, resolutions: Sequence[tuple[int, int, int]] = RESOLUTIONS, width: int = 32) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(ResolutionDiscriminator(*found, width) for found in resolutions)

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [discriminator(audio) for discriminator in self.discriminators]
