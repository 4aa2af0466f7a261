"""wav2vec 2.0 (Baevski et al. 2020, https://arxiv.org/abs/2006.11477), XLS-R and MMS with a CTC head.

Parameters have the names that `transformers` gives them. Letters: B utterances, T samples, N positions, C channels,
D width, H heads, S symbols.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.errors import CheckpointError
from voxgraft.models.ctc.activations import activation_of

# The deviation of new weights, as `transformers` has it.
INITIALISED = 0.02


class Wav2Vec2Ctc(nn.Module):
    """Samples to logits.

    `symbols` counts the outputs, the blank among them. `adapter_attn_dim` is the width of a language's adapters, which
    layers have that normalise first (`do_stable_layer_norm`); None where there are none.
    """

    def __init__(
        self,
        symbols: int,
        conv_dim: Sequence[int] = (512,) * 7,
        conv_kernel: Sequence[int] = (10, 3, 3, 3, 3, 2, 2),
        conv_stride: Sequence[int] = (5, 2, 2, 2, 2, 2, 2),
        conv_bias: bool = False,
        feat_extract_norm: str = "group",
        feat_extract_activation: str = "gelu",
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        do_stable_layer_norm: bool = False,
        layer_norm_eps: float = 1e-5,
        num_conv_pos_embeddings: int = 128,
        num_conv_pos_embedding_groups: int = 16,
        adapter_attn_dim: int | None = None,
        num_adapter_layers: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if num_adapter_layers:
            raise CheckpointError(
                "an encoder with downsampling after its layers, which can't be run here",
                field="num_adapter_layers",
                expected=0,
                got=num_adapter_layers,
                remedy="Take a base without such an adapter.",
            )
        self.stable = do_stable_layer_norm
        self.shapes = tuple(zip(conv_kernel, conv_stride, strict=True))
        convolutions = nn.ModuleList(
            SampleConvolution(
                (1, *conv_dim)[i], conv_dim[i], kernel, stride, conv_bias, feat_extract_activation,
                "layer" if feat_extract_norm == "layer" else "none" if i else "group",
            )
            for i, (kernel, stride) in enumerate(self.shapes)
        )  # fmt: skip
        layers = nn.ModuleList(
            EncoderLayer(
                hidden_size, num_attention_heads, intermediate_size, hidden_act, do_stable_layer_norm, layer_norm_eps,
                adapter_attn_dim if do_stable_layer_norm else None, dropout,
            )
            for _ in range(num_hidden_layers)
        )  # fmt: skip
        positions = PositionalConvolution(
            hidden_size, num_conv_pos_embeddings, num_conv_pos_embedding_groups, feat_extract_activation
        )
        projection = {
            "layer_norm": nn.LayerNorm(conv_dim[-1], eps=layer_norm_eps),
            "projection": nn.Linear(conv_dim[-1], hidden_size),
        }
        encoder = {
            "pos_conv_embed": positions,
            "layer_norm": nn.LayerNorm(hidden_size, eps=layer_norm_eps),
            "layers": layers,
        }
        self.wav2vec2 = nn.ModuleDict(
            {
                "feature_extractor": nn.ModuleDict({"conv_layers": convolutions}),
                "feature_projection": nn.ModuleDict(projection),
                "encoder": nn.ModuleDict(encoder),
            }
        )
        self.drop = nn.Dropout(dropout)
        self.lm_head = nn.Linear(hidden_size, symbols)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Samples [B, T, 1] and their lengths [B] -> logits [B, N, S]; past an end they mean nothing."""
        return self.lm_head(self.drop(self.encode(features, lengths)))

    def encode(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """What the head hears: samples [B, T, 1], lengths [B] -> [B, N, D]."""
        parts = self.wav2vec2
        x, inside = features, None
        for place, layer in enumerate(parts["feature_extractor"]["conv_layers"], 1):
            frames = None if lengths is None else _shrunk(lengths, self.shapes[:place])
            x = layer(x, frames)
        x = parts["feature_projection"]["layer_norm"](x)
        x = self.drop(parts["feature_projection"]["projection"](x))
        if lengths is not None:
            inside = torch.arange(x.shape[1], device=x.device) < self.output_lengths(lengths).clamp(min=1)[:, None]
            x = x * inside[:, :, None].to(x.dtype)
        encoder = parts["encoder"]
        x = x + encoder["pos_conv_embed"](x)
        x = self.drop(x if self.stable else encoder["layer_norm"](x))
        for layer in encoder["layers"]:
            x = layer(x, inside)
        return encoder["layer_norm"](x) if self.stable else x

    def output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Positions that so many samples give."""
        return _shrunk(lengths, self.shapes)


class SampleConvolution(nn.Module):
    """A convolution over time; `norm` is over the channels (`layer`), over time (`group`) or `none`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, bias: bool, activation: str, norm: str
    ) -> None:
        super().__init__()
        self.norm = norm
        self.activation = activation_of(activation)
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride, bias=bias)
        if norm != "none":
            # A group for each channel: an affine change of each, as a normalisation over channels has it.
            self.layer_norm = nn.LayerNorm(outputs) if norm == "layer" else nn.GroupNorm(outputs, outputs)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, T, C]; lengths [B] of what comes out -> [B, T', C']."""
        # As a matrix product, channels last: a convolution over [B, C, T] would have what is normalised and activated copied
        # to and fro, gradients too.
        weight = self.conv.weight.transpose(1, 2).flatten(1)
        x = F.linear(_windows(x, self.conv.kernel_size[0], self.conv.stride[0]), weight, self.conv.bias)
        if self.norm == "layer":
            x = self.layer_norm(x)
        if self.norm == "group":
            x = self._over_time(x, lengths)
        return self.activation(x)

    def _over_time(self, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        """Each utterance by its own frames alone, however long the batch."""
        if lengths is None:
            return self.layer_norm(x.transpose(1, 2)).transpose(1, 2)
        # In float32 whatever the rest is in, as torch does it.
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            share = 1 / lengths.clamp(min=1)[:, None, None].to(x.dtype)
            inside = (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[:, None] * share
            centred = x - inside @ x
            variance = inside @ centred.square()
            scale = self.layer_norm.weight * torch.rsqrt(variance + self.layer_norm.eps)
            return torch.addcmul(self.layer_norm.bias, centred, scale)


class PositionalConvolution(nn.Module):
    """What lies around a position tells where it is."""

    def __init__(self, width: int, kernel: int, groups: int, activation: str) -> None:
        super().__init__()
        self.activation = activation_of(activation)
        self.conv = TimeNormedConvolution(width, kernel, groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> [B, N, D]."""
        return self.activation(self.conv(x.transpose(1, 2))[:, :, : x.shape[1]]).transpose(1, 2)


class TimeNormedConvolution(nn.Module):
    """A convolution whose weight is normalised at each place of its kernel, `w = g * v / |v|`."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.padding = kernel // 2
        plain = nn.Conv1d(width, width, kernel, groups=groups)
        self.weight_v = nn.Parameter(plain.weight.detach().clone())
        self.weight_g = nn.Parameter(_length(self.weight_v).detach().clone())
        self.bias = nn.Parameter(plain.bias.detach().clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, D, N] -> [B, D, N], and one position more where the kernel is even."""
        weight = self.weight_v * (self.weight_g / _length(self.weight_v))
        return F.conv1d(x, weight, self.bias, padding=self.padding, groups=self.groups)


class EncoderLayer(nn.Module):
    """Attention and two dense layers, each normalised before (`stable`) or after; then a language's adapter."""

    def __init__(
        self, width: int, heads: int, inner: int, activation: str, stable: bool, eps: float, adapter: int | None,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stable = stable
        self.attention = Attention(width, heads, dropout)
        self.layer_norm = nn.LayerNorm(width, eps=eps)
        dense = {"intermediate_dense": nn.Linear(width, inner), "output_dense": nn.Linear(inner, width)}
        self.feed_forward = nn.ModuleDict(dense)
        self.final_layer_norm = nn.LayerNorm(width, eps=eps)
        self.adapter_layer = None if adapter is None else Adapter(width, adapter)
        self.activation = activation_of(activation)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `inside` [B, N], true for the positions that count -> [B, N, D]."""
        if self.stable:
            x = x + self.drop(self.attention(self.layer_norm(x), inside))
            x = x + self._dense(self.final_layer_norm(x))
        else:
            x = self.layer_norm(x + self.drop(self.attention(x, inside)))
            x = self.final_layer_norm(x + self._dense(x))
        return x if self.adapter_layer is None else x + self.adapter_layer(x)

    def _dense(self, x: torch.Tensor) -> torch.Tensor:
        x = self.drop(self.activation(self.feed_forward["intermediate_dense"](x)))
        return self.drop(self.feed_forward["output_dense"](x))


class Attention(nn.Module):
    """Every position looks at every other."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `inside` [B, N] -> [B, N, D]."""
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        among = None if inside is None else inside[:, None, None]
        dropout = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=among, dropout_p=dropout)
        return self.out_proj(found.transpose(1, 2).flatten(2))


class Adapter(nn.Module):
    """A narrow detour that a language has for itself, as MMS has it."""

    def __init__(self, width: int, narrow: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear_1 = nn.Linear(width, narrow)
        self.linear_2 = nn.Linear(narrow, width)
        # A new one hardly changes what the layer gives out.
        for layer in (self.linear_1, self.linear_2):
            nn.init.normal_(layer.weight, std=INITIALISED)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> [B, N, D]."""
        return self.linear_2(F.relu(self.linear_1(self.norm(x))))


def _windows(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """[B, T, C] -> what a kernel sees at each of its places, [B, T', kernel · C]."""
    batch, frames, channels = x.shape
    count = (frames - kernel) // stride + 1
    # Whole strides lie one after another already; what a kernel is longer is taken from every stride.
    whole = kernel // stride * stride
    parts = [x[:, k : k + count * stride].reshape(batch, count, stride * channels) for k in range(0, whole, stride)]
    parts += [x[:, k : k + (count - 1) * stride + 1 : stride] for k in range(whole, kernel)]
    return torch.cat(parts, dim=2)


def _shrunk(lengths: torch.Tensor, shapes: Sequence[tuple[int, int]]) -> torch.Tensor:
    """How much is left of so many samples after convolutions with these kernels and strides; never less than none."""
    for kernel, stride in shapes:
        lengths = ((lengths - kernel).clamp(min=-stride) // stride) + 1
    return lengths


def _length(weight: torch.Tensor) -> torch.Tensor:
    """Of what stands at each place of a kernel: [1, 1, K]."""
    return weight.square().sum((0, 1), keepdim=True).sqrt()
