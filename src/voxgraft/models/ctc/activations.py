"""Activations that encoders name in their settings."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from voxgraft.errors import CheckpointError

Activation = Callable[[torch.Tensor], torch.Tensor]

ACTIVATIONS: dict[str, Activation] = {"gelu": F.gelu, "relu": F.relu, "silu": F.silu, "swish": F.silu}


def activation_of(name: str) -> Activation:
    """The activation of that name. Raises CheckpointError where it isn't known."""
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    raise CheckpointError(
        "an encoder with an activation that can't be run here",
        field="hidden_act",
        expected=", ".join(ACTIVATIONS),
        got=str(name)[:60],
        remedy="Take a base of another make.",
    )
