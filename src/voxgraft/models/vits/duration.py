"""Duration predictors: VITS's stochastic one (section 2.2.2, appendix B) and Glow-TTS's plain one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.vits.channel_norm import ChannelNorm
from voxgraft.models.vits.spline import rational_quadratic_spline

BINS = 10
BOUND = 5.0
LOG_2_PI = math.log(2 * math.pi)
SMALLEST_DURATION = 1e-5


class SeparableStack(nn.Module):
    """Dilated depth-separable convolutions: x [B, C, N], mask [B, 1, N], condition [B, C, N] or None -> [B, C, N]."""

    def __init__(self, channels: int, kernel_size: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        dilations = [kernel_size**layer for layer in range(layers)]
        self.convs_sep = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel_size, groups=channels, dilation=d, padding=(kernel_size - 1) * d // 2)
            for d in dilations
        )
        self.convs_1x1 = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(layers))
        self.norms_1 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))
        self.norms_2 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        if condition is not None:
            x = x + condition
        if torch.onnx.is_in_onnx_export():
            return self._convolve(x, mask)
        return self._multiply(x.transpose(1, 2), mask.transpose(1, 2)).transpose(1, 2)

    def _layers(self) -> Iterator[tuple[nn.Module, ...]]:
        return zip(self.convs_sep, self.convs_1x1, self.norms_1, self.norms_2, strict=True)

    def _convolve(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """As the paper says it, so that an exported graph keeps the convolutions and the names of their weights."""
        for depthwise, pointwise, norm_1, norm_2 in self._layers():
            hidden = F.gelu(norm_1(depthwise(x * mask)))
            x = x + self.drop(F.gelu(norm_2(pointwise(hidden))))
        return x * mask

    def _multiply(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The same on [B, N, C], several times faster forward and back: channels last is what the norms want."""
        for depthwise, pointwise, norm_1, norm_2 in self._layers():
            hidden = _depthwise(x * mask, depthwise)
            hidden = F.gelu(F.layer_norm(hidden, norm_1.gamma.shape, norm_1.gamma, norm_1.beta))
            hidden = F.linear(hidden, pointwise.weight.squeeze(-1), pointwise.bias)
            x = x + self.drop(F.gelu(F.layer_norm(hidden, norm_2.gamma.shape, norm_2.gamma, norm_2.beta)))
        return x * mask


def _depthwise(x: torch.Tensor, conv: nn.Conv1d) -> torch.Tensor:
    """A depthwise convolution of x [B, N, C] as a sum of shifted copies."""
    length, (dilation,), (padding,) = x.shape[1], conv.dilation, conv.padding
    padded = F.pad(x, (0, 0, padding, padding))
    out = conv.bias
    for tap, weight in enumerate(conv.weight.squeeze(1).unbind(-1)):
        out = torch.addcmul(out, padded[:, tap * dilation : tap * dilation + length], weight)
    return out


class SplineCoupling(nn.Module):
    """Move one of two channels by a spline that the other one and the text choose: x [B, 2, N] -> [B, 2, N], log|det| [B]."""

    def __init__(self, channels: int, kernel_size: int, layers: int) -> None:
        super().__init__()
        self.channels = channels
        self.pre = nn.Conv1d(1, channels, 1)
        self.convs = SeparableStack(channels, kernel_size, layers)
        self.proj = nn.Conv1d(channels, 3 * BINS - 1, 1)
        nn.init.zeros_(self.proj.weight)
        nn.init.zeros_(self.proj.bias)

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor, *, reverse: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        kept, moved = x.chunk(2, dim=1)
        hidden = self.convs(self.pre(kept), mask, condition)
        parameters = (self.proj(hidden) * mask).transpose(1, 2).unsqueeze(1)
        bins = parameters[..., : 2 * BINS] / math.sqrt(self.channels)
        parameters = torch.cat([bins, parameters[..., 2 * BINS :]], dim=-1)
        moved, log_slope = rational_quadratic_spline(moved, parameters, bins=BINS, bound=BOUND, reverse=reverse)
        return torch.cat([kept, moved], dim=1) * mask, (log_slope * mask).sum((1, 2))


class ElementwiseAffine(nn.Module):
    """Shift and scale each channel: x [B, 2, N] -> [B, 2, N], log|det| [B]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.m = nn.Parameter(torch.zeros(channels, 1))
        self.logs = nn.Parameter(torch.zeros(channels, 1))

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor, *, reverse: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        del condition
        log_determinant = (self.logs * mask).sum((1, 2))
        if reverse:
            return (x - self.m) * torch.exp(-self.logs) * mask, -log_determinant
        return (self.m + torch.exp(self.logs) * x) * mask, log_determinant


class StochasticDurationPredictor(nn.Module):
    """A flow over log durations, trained on a variational bound of their likelihood.

    Each duration is made continuous by a learned noise u and paired with a second learned channel v (variational
    dequantisation and augmentation), so that a two-channel flow can model it.
    """

    def __init__(self, channels: int, kernel_size: int, dropout: float, couplings: int, gin_channels: int) -> None:
        super().__init__()
        self.flows = _couplings(channels, kernel_size, couplings)
        self.post_pre = nn.Conv1d(1, channels, 1)
        self.post_proj = nn.Conv1d(channels, channels, 1)
        self.post_convs = SeparableStack(channels, kernel_size, 3, dropout)
        self.post_flows = _couplings(channels, kernel_size, couplings)
        self.pre = nn.Conv1d(channels, channels, 1)
        self.proj = nn.Conv1d(channels, channels, 1)
        self.convs = SeparableStack(channels, kernel_size, 3, dropout)
        if gin_channels:
            self.cond = nn.Conv1d(gin_channels, channels, 1)

    def _condition(self, hidden: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None) -> torch.Tensor:
        x = self.pre(hidden)
        if speaker is not None:
            x = x + self.cond(speaker)
        return self.proj(self.convs(x, mask)) * mask

    def negative_log_likelihood(
        self,
        hidden: torch.Tensor,
        mask: torch.Tensor,
        durations: torch.Tensor,
        speaker: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Upper bound of -log p(durations | text), in nats: hidden [B, C, N], mask and durations [B, 1, N] -> [B]."""
        condition = self._condition(hidden, mask, speaker)
        seen = self.post_proj(self.post_convs(self.post_pre(durations), mask)) * mask
        shape = (*mask.shape[:1], 2, mask.shape[2])
        noise = torch.randn(shape, generator=generator, device=mask.device, dtype=hidden.dtype) * mask
        latent, log_determinant_q = _through(self.post_flows, noise, mask, condition + seen)
        u, v = latent.chunk(2, dim=1)
        log_determinant_q = log_determinant_q + ((F.logsigmoid(u) + F.logsigmoid(-u)) * mask).sum((1, 2))
        log_q = -(0.5 * (LOG_2_PI + noise.square()) * mask).sum((1, 2)) - log_determinant_q

        continuous = (durations - torch.sigmoid(u)) * mask
        logarithm = continuous.clamp(min=SMALLEST_DURATION).log() * mask
        z, log_determinant = _through(self.flows, torch.cat([logarithm, v], dim=1), mask, condition)
        log_determinant = log_determinant - logarithm.sum((1, 2))
        return (0.5 * (LOG_2_PI + z.square()) * mask).sum((1, 2)) - log_determinant + log_q

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor | None, noise_w: float | torch.Tensor
    ) -> torch.Tensor:
        """Draw log durations, `noise_w` the deviation of what is drawn from: hidden [B, C, N] -> [B, 1, N]."""
        condition = self._condition(hidden, mask, speaker)
        # randn_like exports as RandomNormalLike, which runtimes seed; a batch-sized randn would not.
        z = torch.randn_like(mask.expand(-1, 2, -1).contiguous()) * noise_w
        # The first coupling only moves v, which is thrown away.
        for coupling in reversed(self.flows[3::2]):
            z, _ = coupling(z.flip(1), mask, condition, reverse=True)
        z, _ = self.flows[0](z.flip(1), mask, condition, reverse=True)
        return z[:, :1]


def _couplings(channels: int, kernel_size: int, couplings: int) -> nn.ModuleList:
    flows = nn.ModuleList([ElementwiseAffine(2)])
    for _ in range(couplings):
        # The empty module stands for the swap of the channels, which has no parameters but counts in the names.
        flows.extend([SplineCoupling(channels, kernel_size, 3), nn.Identity()])
    return flows


def _through(
    flows: nn.ModuleList, x: torch.Tensor, mask: torch.Tensor, condition: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    x, log_determinant = flows[0](x, mask, condition)
    for coupling in flows[1::2]:
        x, more = coupling(x, mask, condition)
        x, log_determinant = x.flip(1), log_determinant + more
    return x, log_determinant


class DurationPredictor(nn.Module):
    """Two convolutions that predict log durations: hidden [B, C, N], mask [B, 1, N] -> [B, 1, N]."""

    def __init__(
        self, channels: int, filter_channels: int, kernel_size: int, dropout: float, gin_channels: int
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.drop = nn.Dropout(dropout)
        self.conv_1 = nn.Conv1d(channels, filter_channels, kernel_size, padding=padding)
        self.norm_1 = ChannelNorm(filter_channels)
        self.conv_2 = nn.Conv1d(filter_channels, filter_channels, kernel_size, padding=padding)
        self.norm_2 = ChannelNorm(filter_channels)
        self.proj = nn.Conv1d(filter_channels, 1, 1)
        if gin_channels:
            self.cond = nn.Conv1d(gin_channels, channels, 1)

    def forward(
        self,
        hidden: torch.Tensor,
        mask: torch.Tensor,
        speaker: torch.Tensor | None,
        noise_w: float | torch.Tensor = 0.0,
    ) -> torch.Tensor:
        """Predict log durations; nothing is drawn, so `noise_w` changes nothing."""
        del noise_w
        x = hidden if speaker is None else hidden + self.cond(speaker)
        x = self.drop(self.norm_1(torch.relu(self.conv_1(x * mask))))
        x = self.drop(self.norm_2(torch.relu(self.conv_2(x * mask))))
        return self.proj(x * mask) * mask

    def negative_log_likelihood(
        self,
        hidden: torch.Tensor,
        mask: torch.Tensor,
        durations: torch.Tensor,
        speaker: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Squared error of the log durations, summed over symbols: durations [B, 1, N] -> [B]."""
        del generator
        wanted = (durations + 1e-6).log() * mask
        return ((self.forward(hidden, mask, speaker) - wanted).square() * mask).sum((1, 2))
