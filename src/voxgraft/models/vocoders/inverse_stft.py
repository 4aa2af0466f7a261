"""The inverse short-time Fourier transform as a transposed convolution, so that a vocoder that ends in one exports to ONNX.

Letters: N points of the transform, H hop, F = N / 2 + 1 bins, T frames.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.spectral import full


class InverseStft(nn.Module):
    """Real and imaginary parts [B, F, T] each -> audio [B, 1, (T - 1) * H + N - 2 trim].

    Each frame's samples are cosines and sines of its bins under a Hann window; frames are laid over each other `hop` apart
    and divided by the sum of the squared windows there. With `trim` = N / 2 this is `torch.istft` of centred frames; with
    (N - H) / 2 a frame becomes H samples. Half precision is computed in float32, also under autocast.
    """

    def __init__(self, points: int, hop: int, trim: int) -> None:
        super().__init__()
        self.hop, self.trim = hop, trim
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(points) / points)
        angles = 2 * np.pi * np.outer(np.arange(points // 2 + 1), np.arange(points)) / points
        # Every bin but the first and the last stands for its mirror image too.
        weights = np.full((len(angles), 1), 2.0 / points)
        weights[[0, -1]] = 1.0 / points
        basis = np.concatenate([np.cos(angles) * weights, -np.sin(angles) * weights]) * window
        self.register_buffer("basis", torch.tensor(basis[:, None], dtype=torch.float32), persistent=False)
        self.register_buffer("window", torch.tensor(window, dtype=torch.float32), persistent=False)
        self.register_buffer("squares", torch.tensor((window**2)[None, None], dtype=torch.float32), persistent=False)

    def forward(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        with torch.autocast(real.device.type, enabled=False):
            real, imaginary = full(real), full(imaginary)
            # A graph has no complex numbers; elsewhere the fast transform takes a third of the convolution's time.
            laid = self._convolved if torch.onnx.is_in_onnx_export() else self._laid_over
            ones = torch.ones_like(real[:1, :1])
            overlap = F.conv_transpose1d(ones, self.squares, stride=self.hop, padding=self.trim)
            return laid(real, imaginary) / overlap

    def _convolved(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        spectrum = torch.cat([real, imaginary], dim=1)
        return F.conv_transpose1d(spectrum, self.basis, stride=self.hop, padding=self.trim)

    def _laid_over(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        points = self.window.shape[0]
        frames = torch.fft.irfft(torch.complex(real, imaginary), points, dim=1) * self.window[:, None]
        length = (real.shape[2] - 1) * self.hop + points
        sound = F.fold(frames, (1, length), (1, points), stride=(1, self.hop)).flatten(2)
        return sound[:, :, self.trim : length - self.trim]
