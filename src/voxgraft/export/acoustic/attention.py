"""Attention in plain operations: torch's own module freezes the length of the example when it is traced."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.fastspeech2.conformer import SelfAttention


class TracedAttention(nn.Module):
    """FastSpeech 2's attention in evaluation, called as the original is, whose weights it shares."""

    def __init__(self, attention: SelfAttention) -> None:
        super().__init__()
        self.heads = attention.num_heads
        self.in_proj_weight, self.in_proj_bias = attention.in_proj_weight, attention.in_proj_bias
        self.out_proj = attention.out_proj

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """x [B, T, C], padding [B, T] true where nothing is -> [B, T, C]."""
        joint = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in joint.chunk(3, dim=-1))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        weights = scores.masked_fill(padding[:, None, None, :], -torch.inf).softmax(-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


def make_traceable(network: nn.Module) -> nn.Module:
    """Put `TracedAttention` in the place of every `SelfAttention` under a network; returns it."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SelfAttention):
                setattr(parent, name, TracedAttention(child))
    return network
