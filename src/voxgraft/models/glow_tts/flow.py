"""The flow decoder of Glow-TTS (section 3.2): a mel spectrogram to a latent of the same size, and back.

Letters in shapes: B batch, M mel bands, T frames, C channels, G channels of a speaker's vector.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.vits.wavenet import WaveNet
from voxgraft.models.weight_norm import fold_weight_norm, normed

_LEAST_VARIANCE = 1e-6
_LEAST_SCALE = 1e-6
_SCALE_SHIFT = 2.0


class FlowDecoder(nn.Module):
    """Blocks of ActNorm, invertible convolution and affine coupling over frames that are squeezed `squeeze` into one."""

    def __init__(
        self,
        *,
        mels: int,
        channels: int,
        kernel: int,
        dilation: int,
        blocks: int,
        layers: int,
        dropout: float,
        splits: int,
        squeeze: int,
        sigmoid_scale: bool,
        speaker_channels: int,
    ) -> None:
        super().__init__()
        self.squeeze = squeeze
        width = mels * squeeze
        self.flows = nn.ModuleList()
        for _ in range(blocks):
            coupling = Coupling(width, channels, kernel, dilation, layers, dropout, sigmoid_scale, speaker_channels)
            self.flows.extend([ActNorm(width), InvertibleConv(width, splits), coupling])

    def forward(
        self, mel: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """mel [B, M, T], mask [B, 1, T], speaker [B, G, 1] or None -> latent [B, M, T'] and log|det| [B].

        T' is the whole multiple of `squeeze` in T: what is over falls off.
        """
        x, mask = squeezed(mel, mask, self.squeeze)
        total = mel.new_zeros(len(mel))
        for flow in self.flows:
            x, log_determinant = flow(x, mask, speaker)
            total = total + log_determinant
        return unsqueezed(x, self.squeeze), total

    def backward_flow(
        self, latent: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The reverse of it: latent [B, M, T], mask [B, 1, T] -> mel [B, M, T']."""
        x, mask = squeezed(latent, mask, self.squeeze)
        for flow in reversed(self.flows):
            x = flow.backward_flow(x, mask, speaker)
        return unsqueezed(x, self.squeeze)

    @torch.no_grad()
    def initialise(self, mel: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> None:
        """Give each ActNorm what makes its outputs on these frames of mean 0 and variance 1: mel [B, M, T], mask [B, 1, T]."""
        x, mask = squeezed(mel, mask, self.squeeze)
        for flow in self.flows:
            if isinstance(flow, ActNorm):
                flow.initialise(x, mask)
            x, _ = flow(x, mask, speaker)

    @property
    def initialised(self) -> bool:
        """Whether any ActNorm does anything."""
        return any(bool(f.logs.any()) or bool(f.bias.any()) for f in self.flows if isinstance(f, ActNorm))

    def fold(self) -> None:
        """Fold weight norms and keep the inverses of the convolutions, for a network that learns no more."""
        fold_weight_norm(self)
        for flow in self.flows:
            if isinstance(flow, InvertibleConv):
                flow.keep_inverse()


class ActNorm(nn.Module):
    """A gain and an offset for each channel (Kingma and Dhariwal 2018): x [B, C, T], mask [B, 1, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.logs = nn.Parameter(torch.zeros(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """x -> [B, C, T] and log|det| [B]."""
        del speaker
        return (self.bias + torch.exp(self.logs) * x) * mask, self.logs.sum() * mask.sum((1, 2))

    def backward_flow(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        """The reverse of it."""
        del speaker
        return (x - self.bias) * torch.exp(-self.logs) * mask

    @torch.no_grad()
    def initialise(self, x: torch.Tensor, mask: torch.Tensor) -> None:
        """Choose both by what x is."""
        frames = mask.sum((0, 2))
        mean = (x * mask).sum((0, 2)) / frames
        variance = (x.square() * mask).sum((0, 2)) / frames - mean.square()
        log_deviation = 0.5 * torch.log(variance.clamp(min=_LEAST_VARIANCE))
        self.logs.copy_(-log_deviation.view_as(self.logs))
        self.bias.copy_((-mean * torch.exp(-log_deviation)).view_as(self.bias))


class InvertibleConv(nn.Module):
    """A 1x1 convolution within groups of `splits` channels, half of each from either half of the channels."""

    def __init__(self, channels: int, splits: int) -> None:
        super().__init__()
        self.groups, self.splits = channels // splits, splits
        # Under the meta device of `unfilled` only the shape is wanted, and a decomposition has no kernel.
        weight = torch.empty(splits, splits)
        self.weight = nn.Parameter(weight if weight.is_meta else _rotation(splits))
        self.inverse: torch.Tensor | None = None

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """x [B, C, T], mask [B, 1, T] -> [B, C, T] and log|det| [B]."""
        del speaker
        log_determinant = torch.logdet(self.weight.float()) * self.groups * mask.sum((1, 2))
        return self._mixed(x, self.weight) * mask, log_determinant

    def backward_flow(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        """The reverse of it."""
        del speaker
        return self._mixed(x, self._inverse()) * mask

    def _inverse(self) -> torch.Tensor:
        if self.inverse is not None:
            return self.inverse
        if torch.onnx.is_in_onnx_export():
            # A graph can't invert, and its weights stay as they are.
            return torch.from_numpy(np.linalg.inv(self.weight.detach().cpu().numpy()))
        return torch.linalg.inv(self.weight.float())

    def keep_inverse(self) -> None:
        """Compute the inverse once and for all."""
        self.inverse = torch.linalg.inv(self.weight.detach().float())

    def _mixed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        half = self.splits // 2
        x = x.unflatten(1, (2, self.groups, half)).transpose(2, 3).flatten(1, 2)
        # Half precision would not be undone by the inverse.
        with torch.autocast(x.device.type, enabled=False):
            mixed = F.conv2d(x.to(weight.dtype), weight[:, :, None, None])
        return mixed.unflatten(1, (2, half)).transpose(2, 3).flatten(1, 3)


class Coupling(nn.Module):
    """Scale and shift half of the channels by what the other half says: x [B, C, T], mask [B, 1, T], speaker [B, G, 1]."""

    def __init__(
        self,
        channels: int,
        hidden_channels: int,
        kernel: int,
        dilation: int,
        layers: int,
        dropout: float,
        sigmoid_scale: bool,
        speaker_channels: int,
    ) -> None:
        super().__init__()
        self.sigmoid_scale = sigmoid_scale
        self.start = normed(nn.Conv1d(channels // 2, hidden_channels, 1))
        self.wn = WaveNet(hidden_channels, kernel, layers, speaker_channels, dilation, dropout)
        self.end = nn.Conv1d(hidden_channels, channels, 1)
        # At first nothing is moved, which is what training is stable with.
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def _moves(
        self, kept: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Shift and log scale of the other half, [B, C/2, T] each."""
        # Whatever precision the network has: what it moves is kept in full.
        moves = self.end(self.wn(self.start(kept) * mask, mask, speaker)).to(kept.dtype)
        shift, log_scale = moves.chunk(2, dim=1)
        if self.sigmoid_scale:
            log_scale = torch.log(_LEAST_SCALE + torch.sigmoid(log_scale + _SCALE_SHIFT))
        return shift, log_scale

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """x -> [B, C, T] and log|det| [B]."""
        kept, moved = x.chunk(2, dim=1)
        shift, log_scale = self._moves(kept, mask, speaker)
        moved = (shift + torch.exp(log_scale) * moved) * mask
        return torch.cat([kept, moved], 1), (log_scale * mask).sum((1, 2))

    def backward_flow(self, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None = None) -> torch.Tensor:
        """The reverse of it."""
        kept, moved = x.chunk(2, dim=1)
        shift, log_scale = self._moves(kept, mask, speaker)
        return torch.cat([kept, (moved - shift) * torch.exp(-log_scale) * mask], 1)


def squeezed(x: torch.Tensor, mask: torch.Tensor, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every `frames` frames as one, [B, C, T] -> [B, C * frames, T // frames], and the mask of those that are whole."""
    if frames == 1:
        return x * mask, mask
    batch, channels, length = x.shape
    whole = length // frames
    x = x[:, :, : whole * frames].reshape(batch, channels, whole, frames)
    mask = mask[:, :, frames - 1 :: frames]
    return x.permute(0, 3, 1, 2).reshape(batch, channels * frames, whole) * mask, mask


def unsqueezed(x: torch.Tensor, frames: int) -> torch.Tensor:
    """The reverse of `squeezed`: [B, C * frames, T] -> [B, C, T * frames]."""
    if frames == 1:
        return x
    batch, channels, length = x.shape
    x = x.reshape(batch, frames, channels // frames, length).permute(0, 2, 3, 1)
    return x.reshape(batch, channels // frames, length * frames)


def _rotation(size: int) -> torch.Tensor:
    """A random rotation [size, size]: invertible, of determinant 1."""
    rotation = torch.linalg.qr(torch.randn(size, size))[0]
    rotation[:, 0] *= torch.linalg.det(rotation).sign()
    return rotation
