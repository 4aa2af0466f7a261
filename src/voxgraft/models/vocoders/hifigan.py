"""HiFi-GAN (Kong et al. 2020): the generator that makes a waveform of a mel spectrogram, under its authors' names.

Letters in shapes: B batch, M mel bands, T spectrogram frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.vits.decoder import Decoder


class HifiGan(nn.Module):
    """Mel spectrogram [B, M, T] -> audio [B, 1, T * product(upsample_rates)] in -1..1.

    `resblock` is "1" (pairs of convolutions) or "2" (single ones). Some implementations leave weight norm off the first
    and last convolution (`normed_ends=False`) or the bias off the last (`post_bias=False`). Tensors are named
    `generator.conv_pre`, `generator.ups.N`, `generator.resblocks.N.convs1.M`, `generator.conv_post`.
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
    ) -> None:
        super().__init__()
        self.generator = Decoder(
            mels,
            resblock,
            resblock_kernels,
            resblock_dilations,
            upsample_rates,
            upsample_initial_channel,
            upsample_kernels,
            gin_channels=0,
            normed_ends=normed_ends,
            post_bias=post_bias,
        )

    def forward(self, mel: torch.Tensor, margin: int = 0) -> torch.Tensor:
        """mel [B, M, T] -> audio [B, 1, (T + 2 margin) * hop].

        `margin` repeats the first and last frame that often. Coqui TTS speaks with a margin of 5 and keeps what comes of it.
        """
        if margin:
            mel = F.pad(mel, (margin, margin), mode="replicate")
        return self.generator(mel)
