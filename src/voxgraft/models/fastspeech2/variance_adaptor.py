"""The variance adaptor of FastSpeech 2 (Ren et al. 2021): durations, pitch and energy, predicted and laid in.

Letters in shapes: B batch, N symbols, T frames, L either of the two, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from voxgraft.models.dropout import Dropout
from voxgraft.models.fastspeech2.aligner import Aligner
from voxgraft.models.fastspeech2.conformer import pointwise_linear

PHONE, FRAME = "phone", "frame"
# Pitch and energy are deviations from the mean of the voice: what lies outside falls into the outermost bins.
_RANGE = 4.0


class AlongTime(nn.Module):
    """A convolution of sequences that have their channels last: x [B, L, inputs] -> [B, L, outputs]."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.module(x.transpose(1, 2)).transpose(1, 2)


class SeparableConv(nn.Module):
    """Depthwise, then pointwise: x [B, inputs, L] -> [B, outputs, L]."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv1d(inputs, inputs, kernel, padding=(kernel - 1) // 2, groups=inputs), nn.Conv1d(inputs, outputs, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        depthwise, pointwise = self.model
        return pointwise_linear(depthwise(x).transpose(1, 2), pointwise).transpose(1, 2)


class PredictorLayer(nn.Module):
    """x [B, L, inputs] -> [B, L, outputs]."""

    def __init__(self, inputs: int, outputs: int, kernel: int, depthwise: bool, dropout: float) -> None:
        super().__init__()
        plain = nn.Conv1d(inputs, outputs, kernel, padding=(kernel - 1) // 2)
        convolution = SeparableConv(inputs, outputs, kernel) if depthwise else plain
        self.layers = nn.Sequential(AlongTime(convolution), nn.ReLU(), nn.LayerNorm(outputs), Dropout(dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Predictor(nn.Module):
    """One number for each position: x [B, L, C], mask [B, L] -> [B, L], 0 outside the mask."""

    def __init__(self, inputs: int, channels: int, layers: int, kernel: int, depthwise: bool, dropout: float) -> None:
        super().__init__()
        widths = [inputs, *[channels] * layers]
        self.conv = nn.ModuleList(
            PredictorLayer(widths[i], channels, kernel, depthwise, dropout) for i in range(layers)
        )
        self.linear = nn.Linear(channels, 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for layer in self.conv:
            x = layer(x)
        return self.linear(x).squeeze(-1) * mask


@dataclass(frozen=True)
class Adapted:
    """x [B, T, C] laid out along the frames, mask [B, T]; log_durations [B, N] predicted, durations [B, N] used, in frames.

    pitch and energy [B, N], or [B, T] where they are predicted by frame.
    """

    x: torch.Tensor
    mask: torch.Tensor
    log_durations: torch.Tensor
    durations: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor


class VarianceAdaptor(nn.Module):
    """Energy, pitch and durations of encoded text, and the text laid out by them. Holds the aligner's tensors too."""

    def __init__(
        self,
        *,
        duration: Predictor,
        pitch: Predictor,
        energy: Predictor,
        channels: int,
        pitch_bins: int,
        energy_bins: int,
        pitch_level: str,
        energy_level: str,
        aligner: Aligner | None,
    ) -> None:
        super().__init__()
        self.pitch_level, self.energy_level = pitch_level, energy_level
        self.duration_predictor, self.pitch_predictor, self.energy_predictor = duration, pitch, energy
        self.pitch_embedding = nn.Embedding(pitch_bins, channels)
        self.energy_embedding = nn.Embedding(energy_bins, channels)
        self.register_buffer("pitch_bins", torch.linspace(-_RANGE, _RANGE, pitch_bins - 1))
        self.register_buffer("energy_bins", torch.linspace(-_RANGE, _RANGE, energy_bins - 1))
        if aligner is not None:
            self.attention = aligner

    def forward(
        self,
        x: torch.Tensor,
        text_mask: torch.Tensor,
        *,
        durations: torch.Tensor | None = None,
        pitch: torch.Tensor | None = None,
        energy: torch.Tensor | None = None,
        frames: int | None = None,
        duration_scale: float = 1.0,
        pitch_scale: float = 1.0,
        energy_scale: float = 1.0,
    ) -> Adapted:
        """Encoded text x [B, N, C], text_mask [B, N] -> the text along the frames.

        `durations` [B, N], `pitch` and `energy` (by symbol or by frame, as they are predicted) take the place of what
        is predicted; the scales multiply what is predicted. `frames` is how long the longest is made, where that is known.
        """
        mask = text_mask
        if self.energy_level == PHONE:
            x, energy = self._lay_in("energy", x, mask, energy, energy_scale)
        if self.pitch_level == PHONE:
            x, pitch = self._lay_in("pitch", x, mask, pitch, pitch_scale)
        log_durations = self.duration_predictor(x, text_mask)
        if durations is None:
            durations = frames_of(log_durations, duration_scale) * text_mask.long()
        x, mask = lay_out(x, durations, frames)
        if self.energy_level == FRAME:
            x, energy = self._lay_in("energy", x, mask, energy, energy_scale)
        if self.pitch_level == FRAME:
            x, pitch = self._lay_in("pitch", x, mask, pitch, pitch_scale)
        assert pitch is not None
        assert energy is not None
        return Adapted(x, mask, log_durations, durations, pitch, energy)

    def _lay_in(
        self, name: str, x: torch.Tensor, mask: torch.Tensor, given: torch.Tensor | None, scale: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the embedding of what is given, or else predicted; returns the prediction, scaled only where it is used."""
        predicted = getattr(self, f"{name}_predictor")(x, mask)
        used = predicted * scale if given is None else given
        bins = torch.bucketize(used, getattr(self, f"{name}_bins"))
        return x + getattr(self, f"{name}_embedding")(bins), used if given is None else predicted


def frames_of(log_durations: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    """Whole frames [B, N], int64, of predicted log(1 + frames) [B, N]."""
    return (torch.round(torch.exp(log_durations) - 1) * scale).clamp(min=0).long()


def lay_out(x: torch.Tensor, durations: torch.Tensor, length: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Repeat each symbol for its frames: x [B, N, C], durations [B, N] int64 -> [B, T, C] and its mask [B, T].

    T is `length`, else the longest of the batch, for which a GPU has to be waited for, at least 1; the rest is 0.
    """
    ends = durations.cumsum(1)
    frames = ends[:, -1]
    # Compared with each end, not searched for: that can be traced, lengths of any batch and sentence staying open.
    positions = torch.arange(frames.max().clamp(min=1) if length is None else length, device=x.device).unsqueeze(0)
    symbols = (positions.unsqueeze(2) >= ends.unsqueeze(1)).sum(2).clamp(max=x.shape[1] - 1)
    mask = (positions < frames.unsqueeze(1)).to(x.dtype)
    return x.gather(1, symbols.unsqueeze(-1).expand(-1, -1, x.shape[2])) * mask.unsqueeze(-1), mask


def averages(values: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """Means by symbol over frames that are not 0: values [B, T], path [B, N, T] -> [B, N]; 0 where all are."""
    sums, counts = path @ values.unsqueeze(-1), path @ (values != 0).to(path.dtype).unsqueeze(-1)
    return (sums / counts.clamp(min=1)).squeeze(-1)
