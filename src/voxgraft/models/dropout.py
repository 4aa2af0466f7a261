"""Dropout (Srivastava et al. 2014) that is quick on a CPU: a random byte an element instead of a random number of its own.

A CPU draws numbers one after another, which takes longer than the products around it. A byte tells apart 256 chances, so
that 0.2 becomes 51/256; what is left is scaled by that very share, so that means stay as they are.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_CHANCES = 256


def dropout(x: torch.Tensor, chance: float, training: bool) -> torch.Tensor:
    """`x` of any shape with about `chance` of its elements 0 and the others larger, while training; else `x` itself."""
    if not training or not chance:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, chance, training)
    dropped: torch.Tensor = _Dropped.apply(x, round(chance * _CHANCES))
    return dropped


class Dropout(nn.Dropout):
    """`dropout` as a layer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return dropout(x, self.p, self.training)


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, threshold: int) -> torch.Tensor:
        drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)
        # Products are quicker than filling where a mask says so.
        kept = (drawn[: x.numel()] >= threshold).view(x.shape).to(x.dtype).mul_(_CHANCES / (_CHANCES - threshold))
        ctx.save_for_backward(kept)
        return x * kept

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (kept,) = ctx.saved_tensors
        return gradient * kept, None
