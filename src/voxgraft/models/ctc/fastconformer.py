"""FastConformer with a CTC head (Rekesh et al. 2023, https://arxiv.org/abs/2305.05084).

Parameters have the names that `transformers` gives those of Parakeet. Letters: B utterances, T frames, N positions,
C bands, D width, H heads, S symbols.
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.ctc.activations import activation_of

Size = TypeVar("Size", int, torch.Tensor)


class FastConformerCtc(nn.Module):
    """Log mels to logits, a frame for every `subsampling_factor` of features.

    `symbols` counts the outputs, the blank among them.
    """

    def __init__(
        self,
        symbols: int,
        num_mel_bins: int = 80,
        hidden_size: int = 176,
        num_hidden_layers: int = 16,
        num_attention_heads: int = 4,
        intermediate_size: int = 704,
        conv_kernel_size: int = 9,
        subsampling_factor: int = 8,
        subsampling_conv_channels: int = 176,
        subsampling_conv_kernel_size: int = 3,
        subsampling_conv_stride: int = 2,
        attention_bias: bool = True,
        convolution_bias: bool = True,
        hidden_act: str = "silu",
        scale_input: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.scale = math.sqrt(hidden_size) if scale_input else 1.0
        subsampling = Subsampling(
            num_mel_bins,
            hidden_size,
            subsampling_factor,
            subsampling_conv_channels,
            subsampling_conv_kernel_size,
            subsampling_conv_stride,
        )
        layers = nn.ModuleList(
            ConformerLayer(
                hidden_size,
                num_attention_heads,
                intermediate_size,
                conv_kernel_size,
                hidden_act,
                attention_bias,
                convolution_bias,
                dropout,
            )
            for _ in range(num_hidden_layers)
        )
        self.encoder = nn.ModuleDict({"subsampling": subsampling, "layers": layers})
        self.drop = nn.Dropout(dropout)
        self.ctc_head = nn.Conv1d(hidden_size, symbols, 1)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, T, C] and their lengths [B] in frames -> logits [B, N, S]; past an end they mean nothing."""
        x = self.drop(self.encoder["subsampling"](features, lengths) * self.scale)
        places = relative_places(x.shape[1], x.shape[2], x.device).to(x.dtype)
        inside = None
        if lengths is not None:
            inside = torch.arange(x.shape[1], device=x.device) < self.output_lengths(lengths)[:, None]
        for layer in self.encoder["layers"]:
            x = layer(x, places, inside)
        return self.ctc_head(x.transpose(1, 2)).transpose(1, 2)

    def output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Positions that so many frames of features give."""
        return self.encoder["subsampling"].output_lengths(lengths)


class Subsampling(nn.Module):
    """Convolutions over time and bands, the first a plain one, then pairs of a depthwise and a pointwise one."""

    def __init__(self, bands: int, width: int, factor: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.strided = round(math.log(factor, stride))
        shape = {"kernel_size": kernel, "stride": stride, "padding": (kernel - 1) // 2}
        self.layers = nn.ModuleList([nn.Conv2d(1, channels, **shape), nn.ReLU()])
        for _ in range(self.strided - 1):
            self.layers.append(nn.Conv2d(channels, channels, groups=channels, **shape))
            self.layers.append(nn.Conv2d(channels, channels, 1))
            self.layers.append(nn.ReLU())
        self.linear = nn.Linear(channels * self._shrunk(bands, self.strided), width)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, T, C] and their lengths [B] -> [B, N, D]."""
        x = features[:, None]
        if lengths is not None:
            x = x * _inside(lengths, x)
        for layer in self.layers:
            x = layer(x)
            if lengths is not None and isinstance(layer, nn.Conv2d):
                lengths = self._shrunk(lengths) if layer.stride[0] > 1 else lengths
                x = x * _inside(lengths, x)
        return self.linear(x.transpose(1, 2).flatten(2))

    def output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Positions that so many frames give."""
        return self._shrunk(lengths, self.strided)

    def _shrunk(self, lengths: Size, times: int = 1) -> Size:
        kernel, stride, padding = (getattr(self.layers[0], name)[0] for name in ("kernel_size", "stride", "padding"))
        for _ in range(times):
            lengths = (lengths + 2 * padding - kernel) // stride + 1
        return lengths


class ConformerLayer(nn.Module):
    """Half a dense block, attention, convolution, half a dense block, a normalisation."""

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        kernel: int,
        activation: str,
        attention_bias: bool,
        convolution_bias: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.feed_forward1 = FeedForward(width, inner, activation, attention_bias, dropout)
        self.self_attn = RelativeAttention(width, heads, attention_bias, dropout)
        self.conv = Convolution(width, kernel, activation, convolution_bias)
        self.feed_forward2 = FeedForward(width, inner, activation, attention_bias, dropout)
        self.norm_feed_forward1 = nn.LayerNorm(width)
        self.norm_self_att = nn.LayerNorm(width)
        self.norm_conv = nn.LayerNorm(width)
        self.norm_feed_forward2 = nn.LayerNorm(width)
        self.norm_out = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, places: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `places` [2 · N - 1, D]; `inside` [B, N], true for the positions that count -> [B, N, D]."""
        x = x + 0.5 * self.drop(self.feed_forward1(self.norm_feed_forward1(x)))
        x = x + self.drop(self.self_attn(self.norm_self_att(x), places, inside))
        x = x + self.drop(self.conv(self.norm_conv(x), inside))
        x = x + 0.5 * self.drop(self.feed_forward2(self.norm_feed_forward2(x)))
        return self.norm_out(x)


class FeedForward(nn.Module):
    """Two dense layers."""

    def __init__(self, width: int, inner: int, activation: str, bias: bool, dropout: float) -> None:
        super().__init__()
        self.activation = activation_of(activation)
        self.linear1 = nn.Linear(width, inner, bias=bias)
        self.linear2 = nn.Linear(inner, width, bias=bias)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> [B, N, D]."""
        return self.linear2(self.drop(self.activation(self.linear1(x))))


class Convolution(nn.Module):
    """A gated pointwise convolution, a depthwise one with a normalisation over the batch, a pointwise one."""

    def __init__(self, width: int, kernel: int, activation: str, bias: bool) -> None:
        super().__init__()
        self.activation = activation_of(activation)
        self.pointwise_conv1 = nn.Conv1d(width, 2 * width, 1, bias=bias)
        self.depthwise_conv = nn.Conv1d(width, width, kernel, padding=(kernel - 1) // 2, groups=width, bias=bias)
        self.norm = nn.BatchNorm1d(width)
        self.pointwise_conv2 = nn.Conv1d(width, width, 1, bias=bias)

    def forward(self, x: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `inside` [B, N] -> [B, N, D]."""
        x = F.glu(self.pointwise_conv1(x.transpose(1, 2)), dim=1)
        if inside is not None:
            x = x * inside[:, None].to(x.dtype)
        x = self.activation(self.norm(self.depthwise_conv(x)))
        return self.pointwise_conv2(x).transpose(1, 2)


class RelativeAttention(nn.Module):
    """Attention to what stands somewhere and to how far away it stands (Dai et al. 2019, section 3.3,
    https://arxiv.org/abs/1901.02860)."""

    def __init__(self, width: int, heads: int, bias: bool, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, bias=bias) for _ in range(4))
        self.relative_k_proj = nn.Linear(width, width, bias=False)
        self.bias_u = nn.Parameter(torch.zeros(heads, width // heads))
        self.bias_v = nn.Parameter(torch.zeros(heads, width // heads))

    def forward(self, x: torch.Tensor, places: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `places` [2 · N - 1, D] from the farthest ahead of a position to the farthest behind it;
        `inside` [B, N] -> [B, N, D]."""
        query, key, value = (self._split(layer(x)) for layer in (self.q_proj, self.k_proj, self.v_proj))
        distances = self._split(self.relative_k_proj(places)[None])
        scores = _by_position((query + self.bias_v[:, None]) @ distances.transpose(2, 3))
        scores = scores / math.sqrt(query.shape[3])
        if inside is not None:
            scores = scores.masked_fill(~inside[:, None, None], torch.finfo(scores.dtype).min)
        dropout = self.dropout if self.training else 0.0
        query = query + self.bias_u[:, None]
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=scores, dropout_p=dropout)
        return self.o_proj(found.transpose(1, 2).flatten(2))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> [B, H, N, D / H]."""
        # Sizes are spelt out, so that an exported graph takes any length.
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


def relative_places(positions: int, width: int, device: torch.device | None = None) -> torch.Tensor:
    """A sine and a cosine for each rate, of the distances positions - 1 to 1 - positions: [2 · positions - 1, width]."""
    distances = torch.arange(positions - 1, -positions, -1, device=device, dtype=torch.float32)
    rates = 10000 ** (-torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    angles = distances[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


def _by_position(scores: torch.Tensor) -> torch.Tensor:
    """Scores by distance [B, H, N, 2 · N - 1] -> by position [B, H, N, N]: row i begins N - 1 - i columns later."""
    batch, heads, count, width = scores.shape
    # With a column more in front, rows laid end to end and cut one shorter each slide by one.
    slid = F.pad(scores, (1, 0)).reshape(batch, heads, width + 1, count)
    return slid[:, :, 1:].reshape(batch, heads, count, width)[..., :count]


def _inside(lengths: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """1 for the frames of x [B, C, T, W] that count, 0 for the others: [B, 1, T, 1]."""
    return (torch.arange(x.shape[2], device=x.device) < lengths[:, None])[:, None, :, None].to(x.dtype)
