"""load_network: the network of a checkpoint of a text-to-spec model or a vocoder, ready to be run or traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError, MissingExtra

if TYPE_CHECKING:
    import torch
    from torch import nn

DISCRIMINATOR = "discriminator."


def load_network(checkpoint: Checkpoint) -> nn.Module:
    """The network in evaluation, float32 on the CPU, its weight norm folded into plain weights.

    Raises ExportError where a tensor that is used at inference is missing, unknown or not finite.
    """
    try:
        import torch  # noqa: F401
    except ImportError as fault:
        raise MissingExtra("torch", "train", "Running a model that is not exported") from fault
    from voxgraft.models.networks import network_of
    from voxgraft.models.weight_norm import fold_weight_norm

    obstacle = checkpoint.network_obstacle
    if obstacle is not None:
        raise ExportError(obstacle.why, file=checkpoint.provenance.path, field=obstacle.field, remedy=obstacle.remedy)
    network = fold_weight_norm(network_of(checkpoint.family, checkpoint.architecture))
    values = _values(checkpoint, {name: tuple(t.shape) for name, t in network.state_dict().items()})
    network.load_state_dict({**network.state_dict(), **values})
    return network.requires_grad_(False).eval()


def _values(checkpoint: Checkpoint, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """What each tensor of the folded network holds; those that only training uses may be absent."""
    import torch

    from voxgraft.graft.apply import effective_weight

    family, values = family_of(checkpoint.family), {}
    for name, shape in wanted.items():
        stem = name.removesuffix(".weight")
        if name not in checkpoint.tensors and (stem == name or f"{stem}.weight_v" not in checkpoint.tensors):
            if family.part_of(name) in family.speaking_parts and not name.endswith("num_batches_tracked"):
                raise _unfit(checkpoint, name, "a tensor that the model speaks with is missing", shape, "nothing")
            continue
        array = np.array(
            checkpoint.tensors[name] if name in checkpoint.tensors else effective_weight(checkpoint.tensors, stem)
        )
        if array.shape != shape:
            raise _unfit(checkpoint, name, "a tensor of another shape than the model's", shape, array.shape)
        if array.dtype.kind in "fV" and not np.isfinite(array.astype(np.float32)).all():
            raise _unfit(checkpoint, name, "holds numbers that are not finite", None, None)
        values[name] = torch.from_numpy(array if array.dtype.kind in "iub" else array.astype(np.float32))
    return values


def _unfit(checkpoint: Checkpoint, name: str, problem: str, expected: object, got: object) -> ExportError:
    return ExportError(
        problem,
        file=checkpoint.provenance.path,
        field=name,
        expected=expected,
        got=got,
        remedy="The file is incomplete or damaged: copy it again, or take an earlier checkpoint of its run.",
    )
