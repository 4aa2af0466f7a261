"""Shapes of every tensor that a target has: from modules without memory, or from the base where there is no module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.families import Family
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import MissingExtra
from voxgraft.graft.rules import Rules

DISCRIMINATOR = "discriminator."

Shape = tuple[int, ...]

# Families whose network the settings may choose in place of the base's; that of all others is the base's own.
MODULES = frozenset({"vits"})


def target_shapes(architecture: Mapping[str, Any], discriminator: str, family: str = "vits") -> dict[str, Shape]:
    """Name -> shape of a family's network and of its discriminator, `none` or one of `models.discriminators`."""
    try:
        from voxgraft.models.unfilled import unfilled
    except ImportError as fault:
        raise MissingExtra("torch", "train", "planning a graft of this family") from fault
    from voxgraft.models.networks import network_of

    with unfilled():
        tensors = dict(network_of(family, architecture).state_dict())
        if discriminator != "none":
            judge = discriminator_module(discriminator)
            tensors |= {DISCRIMINATOR + name: tensor for name, tensor in judge.state_dict().items()}
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def resized_shapes(
    base: Checkpoint, family: Family, *, symbols: int | None, speakers: int | None, languages: int | None
) -> dict[str, Shape]:
    """The base's shapes with as many rows for symbols, speakers and languages; None leaves those as they are.

    Rows that a table has beyond its names (padding) go where the names change.
    """
    shapes = dict(base.shapes)
    known = base.symbols.rows if base.symbols is not None else None
    for axes, wanted, named in (
        (family.symbol_axis, symbols, known),
        (family.speaker_axis, speakers, len(base.speakers)),
        (family.language_axis, languages, len(base.languages)),
    ):
        if wanted is None or wanted == named:
            continue
        for name, axis in axes.items():
            if name in shapes:
                shape = shapes[name]
                shapes[name] = (*shape[:axis], wanted, *shape[axis + 1 :])
    return shapes


def with_head(shapes: Mapping[str, Shape], family: Family, rules: Rules, labels: int) -> dict[str, Shape]:
    """The shapes of an encoder that gets an output layer for so many labels; the same where it has one."""
    if rules.head is None or any(name in shapes for name in family.symbol_axis):
        return dict(shapes)
    head, width = rules.head
    kept = {name: shape for name, shape in shapes.items() if family.part_of(name) not in rules.headless}
    return kept | {f"{head}.weight": (labels, shapes[width][0]), f"{head}.bias": (labels,)} if width in shapes else kept


def discriminator_module(kind: str) -> Any:
    """A discriminator of `models.discriminators`: `light`, `piper`, or those that a vocoder's authors train with."""
    from voxgraft.models.discriminators import LightDiscriminator, PiperDiscriminator, discriminators

    ours = {"light": LightDiscriminator, "piper": PiperDiscriminator}
    return ours[kind]() if kind in ours else discriminators(kind)
