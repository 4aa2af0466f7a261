"""Convolutions with weight normalisation, `w = g * v / |v|` (Salimans and Kingma 2016), and how to fold it away.

Parameters are called `weight_g`, `weight_v` and `bias`, as checkpoints of HiFi-GAN, VITS and Piper call them; a
folded layer has a plain `weight` instead. The norm is taken over all axes but the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

OPERATIONS = {
    (nn.Conv1d, 3): F.conv1d,
    (nn.Conv2d, 4): F.conv2d,
    (nn.ConvTranspose1d, 3): F.conv_transpose1d,
}
# A 1-d convolution of clips side by side (see `side_by_side`) is a 2-d one whose second axis is one wide.
WIDENED = {nn.Conv1d: F.conv2d, nn.ConvTranspose1d: F.conv_transpose2d}
NEUTRAL = {"stride": 1, "padding": 0, "dilation": 1}


class NormedConv(nn.Module):
    """A convolution, [B, inputs, ...] -> [B, outputs, ...], that starts out equal to `plain`, which gives it its shape.

    One of a single axis also takes clips side by side: [1, inputs, T, B] -> [1, outputs, T', B].
    It holds `weight_g` and `weight_v`, or after `fold` a plain `weight`.
    """

    def __init__(self, plain: nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d) -> None:
        super().__init__()
        self.kind = type(plain)
        self.settings = {"stride": plain.stride, "padding": plain.padding}
        if self.kind is not nn.ConvTranspose1d:
            self.settings["dilation"] = plain.dilation
        self.widened = {name: (*value, NEUTRAL[name]) for name, value in self.settings.items()}
        self.groups = plain.groups
        self.shared: torch.Tensor | None = None
        self.bias = plain.bias
        self.weight_g = nn.Parameter(gain_of(plain.weight.detach()))
        self.weight_v = nn.Parameter(plain.weight.detach().clone())

    @property
    def folded(self) -> bool:
        """Whether the weight is plain."""
        return "weight" in self._parameters

    def effective_weight(self) -> torch.Tensor:
        """The weight that the convolution uses."""
        if self.folded:
            return self.weight
        return self.shared if self.shared is not None else torch._weight_norm(self.weight_v, self.weight_g, 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.effective_weight()
        if x.dim() == weight.dim():
            return OPERATIONS[self.kind, x.dim()](x, weight, self.bias, groups=self.groups, **self.settings)
        return WIDENED[self.kind](x, weight.unsqueeze(-1), self.bias, groups=self.groups, **self.widened)

    @torch.no_grad()
    def fold(self) -> None:
        """Replace gain and direction by the plain weight."""
        if not self.folded:
            weight = nn.Parameter(self.effective_weight(), requires_grad=self.weight_v.requires_grad)
            del self.weight_g, self.weight_v
            self.weight = weight


def normed(plain: nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d, spread: float | None = None) -> NormedConv:
    """Weight-normalise a new convolution; `spread` redraws its weight from N(0, spread) first."""
    if spread is not None:
        nn.init.normal_(plain.weight, 0.0, spread)
    return NormedConv(plain)


def gain_of(direction: torch.Tensor) -> torch.Tensor:
    """Norm over all axes but the first: [A, ...] -> [A, 1, ...]."""
    shape = (len(direction), *[1] * (direction.dim() - 1))
    if direction.is_meta:
        return direction.new_empty(shape)
    return direction.flatten(1).norm(dim=1).reshape(shape)


def fold_weight_norm(model: nn.Module) -> nn.Module:
    """Fold every normalised weight under `model` in place; the outputs stay the same. Returns the model."""
    for module in model.modules():
        if isinstance(module, NormedConv):
            module.fold()
    return model


@contextmanager
def shared_weights(model: nn.Module) -> Iterator[None]:
    """Within it, every weight under `model` is normalised, and cast for autocast, once for all forward passes."""
    convolutions = [module for module in model.modules() if isinstance(module, NormedConv) and not module.folded]
    try:
        for convolution in convolutions:
            weight = convolution.effective_weight()
            kind = weight.device.type
            if torch.is_autocast_enabled(kind):
                weight = weight.to(torch.get_autocast_dtype(kind))
            convolution.shared = weight
        yield
    finally:
        for convolution in convolutions:
            convolution.shared = None
