"""Convolutions with spectral normalisation (Miyato et al. 2018): the weight over its largest singular value.

Tensors are called `weight_orig`, `weight_u`, `weight_v` and `bias`, as checkpoints of HiFi-GAN call them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

_EPSILON = 1e-12


class SpectralConv1d(nn.Module):
    """A convolution [B, inputs, T] -> [B, outputs, T'] whose weight is `weight_orig` over its largest singular value.

    That value is estimated from the singular vectors `weight_u` and `weight_v`, which come nearer with each `approach`,
    once a training step: within a step all passes see one weight. Clips may lie side by side: [1, inputs, T, B].
    """

    def __init__(self, plain: nn.Conv1d) -> None:
        super().__init__()
        self.stride, self.padding, self.groups = plain.stride, plain.padding, plain.groups
        self.weight_orig = nn.Parameter(plain.weight.detach().clone())
        self.bias = plain.bias
        rows = plain.weight.flatten(1)
        self.register_buffer("weight_u", _unit(rows.new_empty(len(rows)).normal_()))
        self.register_buffer("weight_v", _unit(rows.new_empty(rows.shape[1]).normal_()))

    @torch.no_grad()
    def approach(self) -> None:
        """One power iteration."""
        rows = self.weight_orig.flatten(1)
        self.weight_v.copy_(_unit(rows.t() @ self.weight_u))
        self.weight_u.copy_(_unit(rows @ self.weight_v))

    def effective_weight(self) -> torch.Tensor:
        """The weight that the convolution uses."""
        rows = self.weight_orig.flatten(1)
        return self.weight_orig / torch.dot(self.weight_u, rows @ self.weight_v)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.effective_weight()
        if x.dim() == weight.dim():
            return F.conv1d(x, weight, self.bias, self.stride, self.padding, groups=self.groups)
        # A second axis that is one wide: see `side_by_side`.
        stride, padding = (*self.stride, 1), (*self.padding, 0)
        return F.conv2d(x, weight.unsqueeze(-1), self.bias, stride, padding, groups=self.groups)


def approach_spectra(model: nn.Module) -> None:
    """One power iteration of every spectral norm under `model`."""
    for module in model.modules():
        if isinstance(module, SpectralConv1d):
            module.approach()


def _unit(x: torch.Tensor) -> torch.Tensor:
    return F.normalize(x, dim=0, eps=_EPSILON)
