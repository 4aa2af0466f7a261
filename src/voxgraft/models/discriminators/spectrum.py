"""A discriminator of magnitude spectrograms (Jang et al. 2021, UnivNet, section 2.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.discriminators.losses import Judgement
from voxgraft.models.discriminators.period import SLOPE
from voxgraft.models.weight_norm import normed


class SpectrumDiscriminator(nn.Module):
    """Judges audio [B, 1, T] by its spectrogram of `size` samples a window, a quarter of that apart.

    -> score [B, n], features [B, C, frames, bins]. Each convolution but the first halves the bins.
    """

    def __init__(self, size: int, width: int, layers: int = 4) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        strides = [(1, 2)] * layers
        self.convs = nn.ModuleList(
            normed(nn.Conv2d(1 if n == 0 else width, width, (3, 5), stride, padding=(1, 2)))
            for n, stride in enumerate(strides)
        )
        self.conv_post = normed(nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    def forward(self, audio: torch.Tensor) -> Judgement:
        x, features = self._spectrogram(audio), []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)
            features.append(x)
        x = self.conv_post(x)
        features.append(x)
        return x.flatten(1), features

    def _spectrogram(self, audio: torch.Tensor) -> torch.Tensor:
        """audio [B, 1, T] -> log magnitudes [B, 1, frames, bins], in float32 also under autocast."""
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(
                audio.squeeze(1).float(), self.size, self.size // 4, window=self.window, return_complex=True
            )
            energy = torch.view_as_real(spectrum).square().sum(-1)
            return (energy + 1e-5).log().mul(0.5).transpose(1, 2).unsqueeze(1)
