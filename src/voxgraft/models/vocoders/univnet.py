"""UnivNet (Jang et al. 2021, arXiv 2106.07889): from log-mel spectrogram and noise to a waveform, weights normalised.

Tensor names are those of maum-ai's implementation, without `generator.` before them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.weight_norm import fold_weight_norm, normed

# Frames of silence put behind a spectrogram, so that the network's edge falls into them.
TAIL = 10
SILENCE = -11.5129
_EDGE_KERNEL = 7
_ENTRY_KERNEL = 5
_RESIDUALS = 3


class UnivNet(nn.Module):
    """A stack of upsampling blocks whose convolutions are predicted, frame by frame, from the spectrogram.

    The defaults are the authors' `c32`. Coqui TTS trains a variant: `kernel_slope` and `post_slope` 0.1, `padding`
    `zeros`, `joint_residual` (one residual around the kernel predictor's six convolutions instead of three around
    two each) and no weight norm on the upsampling.
    """

    def __init__(
        self,
        *,
        mels: int = 100,
        noise_channels: int = 64,
        channels: int = 32,
        strides: Sequence[int] = (8, 8, 4),
        dilations: Sequence[int] = (1, 3, 9, 27),
        kernel_size: int = 3,
        predictor_channels: int = 64,
        predictor_kernel: int = 3,
        slope: float = 0.2,
        kernel_slope: float = 0.2,
        post_slope: float = 0.2,
        padding: str = "reflect",
        joint_residual: bool = False,
        upsample_weight_norm: bool = True,
    ) -> None:
        super().__init__()
        self.noise_channels = noise_channels
        self.mode = "constant" if padding == "zeros" else padding
        self.post_slope = post_slope
        self.conv_pre = normed(nn.Conv1d(noise_channels, channels, _EDGE_KERNEL))
        self.res_stack = nn.ModuleList()
        self.hop = 1
        for stride in strides:
            self.hop *= stride
            predictor = KernelPredictor(
                mels=mels,
                channels=channels,
                layers=len(dilations),
                kernel_size=kernel_size,
                hidden=predictor_channels,
                hidden_kernel=predictor_kernel,
                slope=kernel_slope,
                joint_residual=joint_residual,
            )
            self.res_stack.append(
                UpsamplingBlock(predictor, channels, stride, dilations, kernel_size, slope, upsample_weight_norm)
            )
        self.conv_post = nn.Sequential(nn.Identity(), normed(nn.Conv1d(channels, 1, _EDGE_KERNEL)))

    def forward(self, mel: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """[B, mels, T] log-mel and [B, noise_channels, T] of N(0, 1) -> waveform [B, 1, T * hop] in (-1, 1)."""
        x = self.conv_pre(self._padded(noise))
        for block in self.res_stack:
            x = block(x, mel)
        return torch.tanh(self.conv_post(self._padded(F.leaky_relu(x, self.post_slope))))

    def with_tail(self, mel: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """[B, mels, T] log-mel and [B, noise_channels, T] of N(0, 1) -> waveform [B, 1, T * hop], as before a silence."""
        silent = F.pad(mel, (0, TAIL), value=SILENCE)
        # Over the silence the noise comes back: what is made of it is cut off.
        again = torch.cat([noise, noise[:, :, :1].expand(-1, -1, TAIL)], dim=2)
        return self(silent, again)[:, :, : -TAIL * self.hop]

    @torch.no_grad()
    def infer(self, mel: torch.Tensor, seed: int = 0) -> torch.Tensor:
        """[B, mels, T] log-mel -> waveform [B, 1, T * hop]. The same seed gives the same noise on every device."""
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(mel.shape[0], self.noise_channels, mel.shape[2] + TAIL, generator=generator).to(mel)
        return self(F.pad(mel, (0, TAIL), value=SILENCE), noise)[:, :, : -TAIL * self.hop]

    def fold(self) -> UnivNet:
        """Fold weight norm away for inference, in place."""
        fold_weight_norm(self)
        return self

    def _padded(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, (_EDGE_KERNEL // 2, _EDGE_KERNEL // 2), mode=self.mode)


class UpsamplingBlock(nn.Module):
    """Upsample by `stride`, then dilated convolutions, each followed by a predicted one and a gate."""

    def __init__(
        self,
        predictor: KernelPredictor,
        channels: int,
        stride: int,
        dilations: Sequence[int],
        kernel_size: int,
        slope: float,
        upsample_weight_norm: bool,
    ) -> None:
        super().__init__()
        self.slope = slope
        self.stride = stride
        self.kernel_predictor = predictor
        upsampling = nn.ConvTranspose1d(channels, channels, 2 * stride, stride)
        self.convt_pre = nn.Sequential(nn.Identity(), normed(upsampling) if upsample_weight_norm else upsampling)
        self.conv_blocks = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(slope),
                normed(
                    nn.Conv1d(
                        channels,
                        channels,
                        kernel_size,
                        padding=dilation * (kernel_size - 1) // 2,
                        dilation=dilation,
                    )
                ),
                nn.LeakyReLU(slope),
            )
            for dilation in dilations
        )

    def forward(self, x: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
        """[B, channels, L], [B, mels, T] -> [B, channels, L * stride]; L * stride is a multiple of T."""
        length = x.shape[2] * self.stride
        first = self.stride // 2 + self.stride % 2
        x = self.convt_pre(F.leaky_relu(x, self.slope))[:, :, first : first + length]
        kernels, biases = self.kernel_predictor(mel)
        for i, convolution in enumerate(self.conv_blocks):
            filtered, gate = located_convolution(convolution(x), kernels[:, i], biases[:, i]).chunk(2, dim=1)
            x = x + torch.sigmoid(filtered) * torch.tanh(gate)
        return x


class KernelPredictor(nn.Module):
    """The kernels and biases of a block's convolutions for every frame of the spectrogram."""

    def __init__(
        self,
        *,
        mels: int,
        channels: int,
        layers: int,
        kernel_size: int,
        hidden: int,
        hidden_kernel: int,
        slope: float,
        joint_residual: bool,
    ) -> None:
        super().__init__()
        self.shape = (layers, channels, 2 * channels, kernel_size)
        self.joint_residual = joint_residual
        around = hidden_kernel // 2

        def convolution(outputs: int) -> nn.Module:
            return normed(nn.Conv1d(hidden, outputs, hidden_kernel, padding=around))

        self.input_conv = nn.Sequential(
            normed(nn.Conv1d(mels, hidden, _ENTRY_KERNEL, padding=_ENTRY_KERNEL // 2)), nn.LeakyReLU(slope)
        )
        # The authors' dropout of 0 holds index 0 in each of their residuals.
        self.residual_convs = nn.ModuleList(
            nn.Sequential(
                nn.Identity(), convolution(hidden), nn.LeakyReLU(slope), convolution(hidden), nn.LeakyReLU(slope)
            )
            for _ in range(_RESIDUALS)
        )
        self.kernel_conv = convolution(layers * channels * 2 * channels * kernel_size)
        self.bias_conv = convolution(layers * 2 * channels)

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, mels, T] -> kernels [B, layers, channels, 2 * channels, kernel, T], biases [B, layers, 2 * channels, T]."""
        x = entered = self.input_conv(mel)
        for residual in self.residual_convs:
            x = residual(x) if self.joint_residual else x + residual(x)
        if self.joint_residual:
            x = x + entered
        layers, inputs, outputs, size = self.shape
        batch, _, frames = mel.shape
        kernels = self.kernel_conv(x).view(batch, layers, inputs, outputs, size, frames)
        return kernels, self.bias_conv(x).view(batch, layers, outputs, frames)


def located_convolution(x: torch.Tensor, kernels: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
    """Convolve each frame's stretch of `x` with that frame's own kernel (Zeng et al. 2021, arXiv 2102.10815).

    [B, inputs, T * hop], [B, inputs, outputs, kernel, T], [B, outputs, T] -> [B, outputs, T * hop]; neighbouring
    samples beyond a stretch are seen, those beyond `x` are 0. The kernel's size is odd.
    """
    batch, inputs, length = x.shape
    outputs, size, frames = kernels.shape[2:]
    hop = length // frames
    around = size // 2
    padded = F.pad(x, (around, around))
    shifted = torch.stack([padded[:, :, begin : begin + length] for begin in range(size)], dim=2)
    windows = shifted.reshape(batch, inputs * size, frames, hop).transpose(1, 2)
    weights = kernels.permute(0, 4, 2, 1, 3).reshape(batch, frames, outputs, inputs * size)
    y = weights @ windows + biases.transpose(1, 2).unsqueeze(-1)
    return y.permute(0, 2, 1, 3).reshape(batch, outputs, length)
