"""Attention in plain operations: torch's own module freezes the length of the example when it is traced."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class TracedAttention(nn.Module):
    """`nn.MultiheadAttention` of sequences with the batch first, in evaluation; it shares the weights of the original."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads = attention.num_heads
        self.in_proj_weight, self.in_proj_bias = attention.in_proj_weight, attention.in_proj_bias
        self.out_proj = attention.out_proj

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        key_padding_mask: torch.Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[torch.Tensor, None]:
        """query [B, T, C], key and value [B, S, C], key_padding_mask [B, S] true where nothing is -> [B, T, C], None."""
        weights = self.in_proj_weight.chunk(3)
        biases = self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        if key_padding_mask is not None:
            scores = scores.masked_fill(key_padding_mask[:, None, None, :], -torch.inf)
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2)), None


def make_traceable(network: nn.Module) -> nn.Module:
    """Put `TracedAttention` in the place of every `nn.MultiheadAttention` under a network that batches first; returns it."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MultiheadAttention):
                assert child.batch_first, "the Conformers here batch first"
                setattr(parent, name, TracedAttention(child))
    return network
