"""What the tensors say about a network, and where the configuration says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.names.rules import NameRules, canonical_name
from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]
_REMEDY = "The weights are damaged or belong to another config.json: download the folder again, whole."


def renamed(
    tensors: Mapping[str, LazyTensor], rules: NameRules, path: Path
) -> tuple[dict[str, LazyTensor], tuple[str, ...]]:
    """The tensors under canonical names, and a note on those that no rule knows. CheckpointError for two of one name."""
    known: dict[str, LazyTensor] = {}
    odd: list[str] = []
    for name, tensor in tensors.items():
        canonical = canonical_name(name, rules)
        if canonical is None:
            odd.append(name)
        elif canonical in known:
            raise CheckpointError("is there twice under different names", file=path, field=canonical, remedy=_REMEDY)
        else:
            known[canonical] = tensor
    if not odd:
        return known, ()
    return known, (f"{len(odd)} tensors are no part of the model and left out, such as {odd[0][:120]}",)


def shape_of(shapes: Shapes, name: str, dims: int, path: Path) -> tuple[int, ...]:
    """The shape of a tensor that must be there with so many axes, none of them empty. Raises CheckpointError."""
    shape = shapes.get(name)
    if shape is None:
        raise CheckpointError("a tensor is absent", file=path, field=name, remedy=_REMEDY)
    if len(shape) != dims or not all(shape):
        raise CheckpointError(
            "a tensor of another kind of model", file=path, field=name, expected=f"{dims} axes", got=shape,
            remedy=_REMEDY,
        )  # fmt: skip
    return shape


def numbered(names: Iterable[str], pattern: str) -> int:
    """How many different numbers stand in the pattern's group."""
    return len({match[1] for name in names if (match := re.match(pattern, name))})


def contradictions(found: Mapping[str, Any], stated: Mapping[str, Any]) -> tuple[str, ...]:
    """A note for every setting that the tensors contradict."""
    return tuple(
        f"config.json says {name}={str(_plain(stated[name]))[:60]}, the tensors say {_plain(value)}: the tensors win"
        for name, value in found.items()
        if stated.get(name) is not None and _plain(stated[name]) != _plain(value)
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
