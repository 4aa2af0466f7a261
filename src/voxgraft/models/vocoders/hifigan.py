"""HiFi-GAN (Kong et al. 2020): the generator that makes a waveform of a mel spectrogram.

Tensor names are the authors', without `generator.` before them. Letters in shapes: B batch, M mel bands, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.side_by_side import lay_side_by_side, pays, take_apart
from voxgraft.models.spectral import full
from voxgraft.models.vits.decoder import INITIAL_SPREAD, upsample, upsampling
from voxgraft.models.vocoders.inverse_stft import InverseStft
from voxgraft.models.weight_norm import normed

_EDGE_KERNEL = 7
# The inverse Fourier transform of iSTFTNet takes a hop of a quarter of its points.
_OVERLAP = 4


class HifiGan(nn.Module):
    """Mel spectrogram [B, M, T] -> audio [B, 1, T * hop] in -1..1, where hop = product(upsample_rates).

    `resblock` is "1" (pairs of convolutions) or "2" (single ones). Some implementations leave weight norm off the first
    and last convolution (`normed_ends=False`) or the bias off the last (`post_bias=False`). With `istft_points` the last
    convolution gives magnitude and phase of an inverse Fourier transform of so many points, which makes the rest of the
    hop, a quarter of the points (iSTFTNet, Kaneko et al. 2022).
    """

    def __init__(
        self,
        *,
        mels: int,
        resblock: str,
        resblock_kernels: Sequence[int],
        resblock_dilations: Sequence[Sequence[int]],
        upsample_rates: Sequence[int],
        upsample_initial_channel: int,
        upsample_kernels: Sequence[int],
        normed_ends: bool = True,
        post_bias: bool = True,
        istft_points: int = 0,
    ) -> None:
        super().__init__()
        self.normed_ends, self.istft_points = normed_ends, istft_points
        conv_pre = nn.Conv1d(mels, upsample_initial_channel, _EDGE_KERNEL, padding=_EDGE_KERNEL // 2)
        self.conv_pre = normed(conv_pre) if normed_ends else conv_pre
        self.ups, self.resblocks, width = upsampling(
            upsample_initial_channel, upsample_rates, upsample_kernels, resblock, resblock_kernels, resblock_dilations
        )
        outputs = istft_points + 2 if istft_points else 1
        conv_post = nn.Conv1d(width, outputs, _EDGE_KERNEL, padding=_EDGE_KERNEL // 2, bias=post_bias)
        self.conv_post = normed(conv_post, INITIAL_SPREAD) if normed_ends else conv_post
        if istft_points:
            self.transform = InverseStft(istft_points, istft_points // _OVERLAP, trim=istft_points // 2)

    def forward(self, mel: torch.Tensor, margin: int = 0) -> torch.Tensor:
        """mel [B, M, T] -> audio [B, 1, (T + 2 margin) * hop].

        `margin` repeats the first and last frame that often; Coqui TTS speaks with a margin of 5, and keeps what comes of it.
        """
        if margin:
            mel = F.pad(mel, (margin, margin), mode="replicate")
        x = self.conv_pre(mel)
        beside = self.normed_ends and pays(x)
        x = upsample(lay_side_by_side(x) if beside else x, self.ups, self.resblocks)
        if self.istft_points:
            return self._transformed(take_apart(x) if beside else x)
        audio = torch.tanh(self.conv_post(x))
        return take_apart(audio) if beside else audio

    def _transformed(self, x: torch.Tensor) -> torch.Tensor:
        """Hidden channels [B, C, T'] -> audio [B, 1, T' * istft_points / 4]."""
        points = self.istft_points
        log_magnitude, phase = self.conv_post(F.pad(x, (1, 0), mode="reflect")).split(points // 2 + 1, dim=1)
        # The phase is a sine, as the authors have it.
        magnitude, angle = torch.exp(full(log_magnitude)), torch.sin(full(phase))
        return self.transform(magnitude * torch.cos(angle), magnitude * torch.sin(angle))
