"""Shapes of every tensor that a target has, from modules without memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.errors import MissingExtra

DISCRIMINATOR = "discriminator."


def target_shapes(architecture: Mapping[str, Any], discriminator: str) -> dict[str, tuple[int, ...]]:
    """Name -> shape of a VITS model and of its discriminator: `none`, `light` or `piper`."""
    try:
        import torch
    except ImportError as fault:
        raise MissingExtra("torch", "train", "Planning a graft") from fault
    from voxgraft.models.vits import Vits

    with torch.device("meta"):
        tensors = dict(Vits(**architecture).state_dict())
        if discriminator != "none":
            judge = build_discriminator(discriminator)
            tensors |= {DISCRIMINATOR + name: tensor for name, tensor in judge.state_dict().items()}
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def build_discriminator(kind: str) -> Any:
    """A discriminator of `models.discriminators`: `light` or `piper`."""
    from voxgraft.models.discriminators import LightDiscriminator, PiperDiscriminator

    return {"light": LightDiscriminator, "piper": PiperDiscriminator}[kind]()
