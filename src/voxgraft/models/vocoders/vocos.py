"""Vocos (Siuzdak 2023, arXiv 2306.00814): from mel spectrogram to a waveform through its Fourier coefficients.

Everything happens at the rate of the frames, so that it is many times quicker than upsampling vocoders. Tensor names are
the authors', without `generator.` before them. Letters in shapes: B batch, M mel bands, T frames, C channels.
"""

from __future__ import annotations

import torch
from torch import nn

from voxgraft.models.spectral import full
from voxgraft.models.vocoders.inverse_stft import InverseStft

_KERNEL = 7
_EPSILON = 1e-6
# What a magnitude may become: early in training an exponential can run away.
LARGEST = 100.0


class Vocos(nn.Module):
    """Mel spectrogram [B, M, T] -> audio [B, 1, T * hop], as loud as it comes out (nothing bounds it to -1..1)."""

    def __init__(
        self, *, mels: int, channels: int = 512, hidden: int = 1536, layers: int = 8, n_fft: int = 1024, hop: int = 256
    ) -> None:
        super().__init__()
        self.hop = hop
        self.backbone = Backbone(mels, channels, hidden, layers)
        self.head = SpectrumHead(channels, n_fft, hop)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(mel))

    def spectrum(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """mel [B, M, T] -> magnitude and the cosine and sine of the phase, each [B, n_fft / 2 + 1, T]."""
        magnitude, phase = self.head.polar(self.backbone(mel))
        return magnitude, torch.cos(phase), torch.sin(phase)


class Backbone(nn.Module):
    """mel [B, M, T] -> hidden [B, T, C]: a convolution, then ConvNeXt blocks."""

    def __init__(self, mels: int, channels: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(mels, channels, _KERNEL, padding=_KERNEL // 2)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.convnext = nn.ModuleList(ConvNeXtBlock(channels, hidden, 1 / layers) for _ in range(layers))
        self.final_layer_norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.apply(_start)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.embed(mel).transpose(1, 2))
        for block in self.convnext:
            x = block(x)
        return self.final_layer_norm(x)


class ConvNeXtBlock(nn.Module):
    """[B, T, C] -> [B, T, C]: a convolution of each channel, then two layers across channels (Liu et al. 2022)."""

    def __init__(self, channels: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(channels, channels, _KERNEL, padding=_KERNEL // 2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.pwconv1 = nn.Linear(channels, hidden)
        self.pwconv2 = nn.Linear(hidden, channels)
        self.gamma = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.dwconv(x.transpose(1, 2)).transpose(1, 2))
        return x + self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(y)))


class SpectrumHead(nn.Module):
    """hidden [B, T, C] -> audio [B, 1, T * hop] by magnitude and phase of `n_fft` points a frame."""

    def __init__(self, channels: int, n_fft: int, hop: int) -> None:
        super().__init__()
        self.out = nn.Linear(channels, n_fft + 2)
        self.transform = InverseStft(n_fft, hop, trim=(n_fft - hop) // 2)
        _start(self.out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        magnitude, phase = self.polar(x)
        return self.transform(magnitude * torch.cos(phase), magnitude * torch.sin(phase))

    def polar(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Magnitude and phase (radians), [B, n_fft / 2 + 1, T] each, half precision in float32."""
        levels, phase = full(self.out(x)).transpose(1, 2).chunk(2, dim=1)
        return torch.exp(levels).clamp(max=LARGEST), phase


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
