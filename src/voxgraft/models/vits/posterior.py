"""The posterior encoder: linear spectrogram to latent (VITS, section 2.1.3)."""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.models.vits.packing import without_padding
from voxgraft.models.vits.wavenet import WaveNet


class PosteriorEncoder(nn.Module):
    """spectrogram [B, bins, T], mask [B, 1, T], speaker [B, G, 1] or None -> mean and log deviation, each [B, D, T]."""

    def __init__(
        self,
        spec_channels: int,
        outputs: int,
        channels: int,
        gin_channels: int,
        layers: int = 16,
        kernel_size: int = 5,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.pre = nn.Conv1d(spec_channels, channels, 1)
        self.enc = WaveNet(channels, kernel_size, layers, gin_channels, dilation)
        self.proj = nn.Conv1d(channels, 2 * outputs, 1)

    def forward(
        self, spectrogram: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if speaker is None:
            both = without_padding(self._encode, spectrogram, mask, self.enc.reach)
        else:
            both = self._encode(spectrogram, mask, speaker)
        mean, log_deviation = both.chunk(2, dim=1)
        return mean, log_deviation

    def _encode(
        self, spectrogram: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> torch.Tensor:
        return self.proj(self.enc(self.pre(spectrogram) * mask, mask, speaker)) * mask
