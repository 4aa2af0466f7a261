"""apply_plan: the only code that touches weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.checkpoints.checkpoint import Checkpoint, Tensors
from voxgraft.errors import GraftError
from voxgraft.graft.plan import Fold, GraftPlan, Row
from voxgraft.graft.shapes import DISCRIMINATOR, discriminator_module
from voxgraft.graft.target import Target

if TYPE_CHECKING:
    import torch
    from torch import nn


def build(target: Target, seed: int) -> nn.Module:
    """The target's network with its own initialisation, the same for the same seed."""
    import torch

    from voxgraft.models.networks import network_of

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network_of(target.family, target.architecture)


def build_discriminator(kind: str, seed: int) -> nn.Module:
    """A discriminator, `light` or `piper`, with its own initialisation, the same for the same seed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        discriminator: nn.Module = discriminator_module(kind)
        return discriminator


def apply_plan(
    plan: GraftPlan, checkpoint: Checkpoint | None, module: nn.Module, discriminator: nn.Module | None = None
) -> None:
    """Write the weights that the plan says into a model and its discriminator, all or none.

    `init` rows keep what the modules hold (`build` makes that the same for the same seed) or become zero.
    `checkpoint` is None only for a plan from scratch.

    Raises:
        GraftError: the plan is refused, was made for another target or base, or a weight is not a finite number.
    """
    import torch

    tensors = _tensors_of(module, discriminator)
    values = grafted(plan, checkpoint, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    with torch.no_grad():
        for name, value in values.items():
            tensors[name].copy_(torch.tensor(value))


def grafted(
    plan: GraftPlan, checkpoint: Checkpoint | None, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """The tensors, float32, that a plan gives to a model of these shapes; those that start by themselves are not among them.

    Raises as `apply_plan` does.
    """
    plan.require_accepted()
    rows = {row.target: row for row in plan.rows if row.target is not None}
    _check_targets(rows, shapes, len([row for row in plan.rows if row.target is not None]))
    source: Tensors = checkpoint.tensors if checkpoint is not None else {}
    _check_sources(plan, source, checkpoint.provenance.sha256 if checkpoint is not None else None)
    # Computed whole before anything is written: a bad tensor must not leave half a graft behind.
    values = {name: _value(row, source) for name, row in rows.items() if not _keeps(row)}
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise GraftError(
                "holds a weight that is not a finite number",
                file=checkpoint.provenance.path if checkpoint is not None else None,
                field=name,
                remedy="Take another copy of it, or another base.",
            )
    return values


def _tensors_of(module: nn.Module, discriminator: nn.Module | None) -> dict[str, torch.Tensor]:
    tensors = dict(module.state_dict())
    if discriminator is not None:
        tensors |= {DISCRIMINATOR + name: tensor for name, tensor in discriminator.state_dict().items()}
    return tensors


def _check_targets(rows: dict[str, Row], shapes: Mapping[str, tuple[int, ...]], count: int) -> None:
    odd = sorted(set(rows) ^ set(shapes))
    if odd or count != len(shapes):
        raise GraftError(
            "the plan was made for another model", field=odd[0] if odd else None, expected=f"{len(shapes)} tensors",
            got=f"{count} rows", remedy="Make the plan for this model.",
        )  # fmt: skip
    for name, row in rows.items():
        if shapes[name] != row.target_shape:
            raise GraftError(
                "the plan was made for another model", field=name, expected=shapes[name],
                got=row.target_shape, remedy="Make the plan for this model.",
            )  # fmt: skip


def _check_sources(plan: GraftPlan, source: Tensors, sha256: str | None) -> None:
    if plan.base_sha256 != sha256:
        raise GraftError(
            "the plan was made for another base", field="sha256", expected=plan.base_sha256, got=sha256,
            remedy="Make the plan for this base.",
        )  # fmt: skip
    for row in plan.rows:
        if row.source is None:
            continue
        found = tuple(source[row.source].shape) if row.source in source else None
        if found != row.source_shape:
            raise GraftError(
                "the plan was made for another base", field=row.source, expected=row.source_shape, got=found,
                remedy="Make the plan for this base.",
            )  # fmt: skip


def _keeps(row: Row) -> bool:
    return row.action == "init" and row.fill == "own"


def _value(row: Row, source: Tensors) -> np.ndarray:
    """The new value of one tensor, float32, in the target's shape."""
    assert row.target_shape is not None
    if row.action == "init" or row.source is None:
        return np.zeros(row.target_shape, np.float32)
    origin = np.asarray(source[row.source], dtype=np.float32)
    if row.action in ("remap", "resize"):
        value = _remapped(row, origin)
    elif row.action == "fold" and row.fold is not None:
        value = origin + _speaker_offset(row.fold, source, len(origin))
    elif row.action == "decompose" and str(row.target).endswith("_g"):
        value = _magnitude(origin)
    elif row.action == "decompose":
        value = _direction(origin)
    elif row.action == "compose":
        value = effective_weight(source, row.source.removesuffix(".weight_v"))
    else:
        value = origin
    if value.shape != row.target_shape:
        raise AssertionError(f"{row.target}: {value.shape} is not {row.target_shape}")
    return value


def _remapped(row: Row, origin: np.ndarray) -> np.ndarray:
    assert row.target_shape is not None
    assert row.rows is not None
    origin = np.moveaxis(origin, row.axis, 0)
    kept = sorted(set(row.rows.values()))
    mean = origin[kept].mean(0) if kept else origin.mean(0)
    value = np.repeat(mean[None], row.target_shape[row.axis], axis=0)
    for here, weights in (row.near or {}).items():
        total = sum(weights.values())
        value[here] = sum(np.float32(weight / total) * origin[there] for there, weight in weights.items())
    for here, there in row.rows.items():
        value[here] = origin[there]
    return np.ascontiguousarray(np.moveaxis(value, 0, row.axis))


def _speaker_offset(fold: Fold, source: Tensors, size: int) -> np.ndarray:
    weight = effective_weight(source, fold.layer)[fold.first : fold.first + size, :, 0].astype(np.float64)
    vector = np.asarray(source[fold.embedding][fold.row], dtype=np.float64)
    bias = np.asarray(source[f"{fold.layer}.bias"], dtype=np.float64)[fold.first : fold.first + size]
    return (weight @ vector + bias).astype(np.float32)


def effective_weight(source: Tensors, layer: str) -> np.ndarray:
    """A layer's weight, weight norm folded where there is one, float32."""
    if f"{layer}.weight" in source:
        return np.asarray(source[f"{layer}.weight"], dtype=np.float32)
    direction = np.asarray(source[f"{layer}.weight_v"], dtype=np.float32)
    gain = np.asarray(source[f"{layer}.weight_g"], dtype=np.float32)
    weight: np.ndarray = direction * (gain / _magnitude(direction))
    return weight


def _direction(weight: np.ndarray) -> np.ndarray:
    """The weight itself, but ones where it is all zero: a zero vector has no direction, and 0 / 0 would be NaN."""
    direction: np.ndarray = np.where(_magnitude(weight) > 0, weight, np.float32(1))
    return direction


def _magnitude(weight: np.ndarray) -> np.ndarray:
    """Norm over all axes but the first: [A, ...] -> [A, 1, ...]; accumulated in double precision."""
    norm: np.ndarray = np.sqrt(np.square(weight.reshape(len(weight), -1), dtype=np.float64).sum(1)).astype(np.float32)
    return norm.reshape(-1, *[1] * (weight.ndim - 1))
