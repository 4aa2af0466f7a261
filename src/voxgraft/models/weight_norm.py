"""Convolutions with weight normalisation, `w = g * v / |v|` (Salimans and Kingma 2016), and how to fold it away.

Parameters are called `weight_g`, `weight_v` and `bias`, as checkpoints of HiFi-GAN, VITS and Piper call them; a
folded layer has a plain `weight` instead. The norm is taken over all axes but the first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

OPERATIONS = {"conv1d": F.conv1d, "conv2d": F.conv2d, "conv_transpose1d": F.conv_transpose1d}


class NormedConv(nn.Module):
    """A convolution, [B, inputs, ...] -> [B, outputs, ...], that starts out equal to `plain` (which gives it its shape).

    `padding` and `stride` come from `plain`. It holds `weight_g` and `weight_v`, or after `fold` a plain `weight`.
    """

    def __init__(self, operation: str, plain: nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d) -> None:
        super().__init__()
        self.operation = operation
        self.settings = {"stride": plain.stride, "padding": plain.padding, "groups": plain.groups}
        if operation != "conv_transpose1d":
            self.settings["dilation"] = plain.dilation
        self.bias = plain.bias
        self.weight_g = nn.Parameter(gain_of(plain.weight.detach()))
        self.weight_v = nn.Parameter(plain.weight.detach().clone())

    @property
    def folded(self) -> bool:
        """Whether the weight is plain."""
        return "weight" in self._parameters

    def effective_weight(self) -> torch.Tensor:
        """The weight that the convolution uses."""
        return self.weight if self.folded else torch._weight_norm(self.weight_v, self.weight_g, 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return OPERATIONS[self.operation](x, self.effective_weight(), self.bias, **self.settings)

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
    names = {nn.Conv1d: "conv1d", nn.Conv2d: "conv2d", nn.ConvTranspose1d: "conv_transpose1d"}
    return NormedConv(names[type(plain)], plain)


def gain_of(direction: torch.Tensor) -> torch.Tensor:
    """Norm over all axes but the first: [A, ...] -> [A, 1, ...]."""
    return direction.flatten(1).norm(dim=1).reshape(-1, *[1] * (direction.dim() - 1))


def fold_weight_norm(model: nn.Module) -> nn.Module:
    """Fold every normalised weight under `model` in place; the outputs stay the same. Returns the model."""
    for module in model.modules():
        if isinstance(module, NormedConv):
            module.fold()
    return model
