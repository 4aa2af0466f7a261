"""Whisper's encoder (Radford et al. 2022, https://arxiv.org/abs/2212.04356) with a CTC head.

Parameters have the names that `transformers` gives them. Letters: B utterances, T frames, N = ⌈T / 2⌉ positions,
C bands, D width, H heads, S symbols.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.ctc.activations import activation_of


class WhisperCtc(nn.Module):
    """Log mels to logits, a frame for every two of features.

    `symbols` counts the outputs, the blank among them. An utterance is heard at its own length, without the silence
    that Whisper fills thirty seconds up with. One of more than `max_source_positions` is heard in pieces.
    """

    def __init__(
        self,
        symbols: int,
        num_mel_bins: int = 80,
        d_model: int = 384,
        max_source_positions: int = 1500,
        encoder_layers: int = 4,
        encoder_attention_heads: int = 6,
        encoder_ffn_dim: int = 1536,
        activation_function: str = "gelu",
        scale_embedding: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.max_source_positions = max_source_positions
        encoder = WhisperEncoder(
            num_mel_bins,
            d_model,
            max_source_positions,
            encoder_layers,
            encoder_attention_heads,
            encoder_ffn_dim,
            activation_function,
            scale_embedding,
            dropout,
        )
        self.model = nn.ModuleDict({"encoder": encoder})
        self.drop = nn.Dropout(dropout)
        self.ctc_head = nn.Linear(d_model, symbols)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, T, C] and their lengths [B] in frames -> logits [B, N, S]; past an end they mean nothing."""
        return self.ctc_head(self.drop(self.encode(features, lengths)))

    def encode(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """What the head hears: features [B, T, C], lengths [B] -> [B, N, D]."""
        most = 2 * self.max_source_positions
        encoder = self.model["encoder"]
        if features.shape[1] <= most:
            return encoder(features, lengths)
        starts = range(0, features.shape[1], most)
        rest = [None if lengths is None else (lengths - start).clamp(min=0) for start in starts]
        return torch.cat(
            [encoder(features[:, start : start + most], left) for start, left in zip(starts, rest, strict=True)], 1
        )

    def output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Positions that so many frames of features give."""
        return (lengths + 1) // 2


class WhisperEncoder(nn.Module):
    """Two convolutions, the second of stride 2, positions as stored, and transformer layers."""

    def __init__(
        self,
        num_mel_bins: int,
        d_model: int,
        max_source_positions: int,
        encoder_layers: int,
        encoder_attention_heads: int,
        encoder_ffn_dim: int,
        activation_function: str,
        scale_embedding: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.scale = math.sqrt(d_model) if scale_embedding else 1.0
        self.conv1 = nn.Conv1d(num_mel_bins, d_model, 3, padding=1)
        self.conv2 = nn.Conv1d(d_model, d_model, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(max_source_positions, d_model)
        self.embed_positions.weight.data = sinusoids(max_source_positions, d_model)
        self.embed_positions.weight.requires_grad_(False)
        self.layers = nn.ModuleList(
            WhisperLayer(d_model, encoder_attention_heads, encoder_ffn_dim, activation_function, dropout)
            for _ in range(encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(d_model)
        self.drop = nn.Dropout(dropout)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, T, C] and their lengths [B] -> [B, N, D]."""
        x = features.transpose(1, 2)
        among = None
        if lengths is not None:
            # Beyond an utterance's end there is nothing, whatever the batch is padded with.
            inside = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
            weights = inside[:, None].to(x.dtype)
            x = self.conv1(x * weights) * weights
            # An utterance without frames hears its first, so that attention has something to weigh.
            among = inside[:, None, None, ::2] | (torch.arange(inside[:, ::2].shape[1], device=x.device) == 0)
        else:
            x = self.conv1(x)
        # GELU leaves zeros zero.
        x = F.gelu(self.conv2(F.gelu(x))).transpose(1, 2) * self.scale
        x = self.drop(x + self.embed_positions.weight[: x.shape[1]])
        for layer in self.layers:
            x = layer(x, among)
        return self.layer_norm(x)


class WhisperLayer(nn.Module):
    """Attention, then two dense layers, each behind its normalisation and beside what went in."""

    def __init__(self, width: int, heads: int, inner: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.activation = activation_of(activation)
        self.self_attn = WhisperAttention(width, heads, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, among: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `among` [B, 1, 1, N], true for the positions that count -> [B, N, D]."""
        x = x + self.drop(self.self_attn(self.self_attn_layer_norm(x), among))
        return x + self.drop(self.fc2(self.drop(self.activation(self.fc1(self.final_layer_norm(x))))))


class WhisperAttention(nn.Module):
    """Every position looks at every other; keys have no bias."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, among: torch.Tensor | None = None) -> torch.Tensor:
        """x [B, N, D]; `among` [B, 1, 1, N] -> [B, N, D]."""
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        dropout = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=among, dropout_p=dropout)
        return self.out_proj(found.transpose(1, 2).flatten(2))


def sinusoids(positions: int, width: int) -> torch.Tensor:
    """Sines in the first half of each row, cosines in the second, of wavelengths from 2π to 20000π: [positions, width]."""
    half = width // 2
    rates = torch.exp(-math.log(10000) / max(half - 1, 1) * torch.arange(half))
    angles = torch.arange(positions)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)
