"""The network of a vocoder's checkpoint, ready to speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint
from voxgraft.errors import ExportError

if TYPE_CHECKING:
    from torch import nn

GENERATOR = "generator."


def load_generator(checkpoint: Checkpoint) -> nn.Module:
    """The generator in evaluation mode, float32 on the CPU, weight norm folded. ExportError where it is no vocoder of ours."""
    import torch

    from voxgraft.models.networks import VOCODERS, network_of
    from voxgraft.models.weight_norm import fold_weight_norm

    if checkpoint.family not in VOCODERS:
        raise ExportError(
            f"{family_of(checkpoint.family).title} is no vocoder that speaks here",
            file=checkpoint.provenance.path,
            expected=", ".join(family_of(name).title for name in sorted(VOCODERS)),
            got=checkpoint.family,
            remedy="Give one of these.",
        )
    whole = network_of(checkpoint.family, checkpoint.architecture)
    generator: nn.Module = whole.generator
    names = [name for name in checkpoint.tensors if name.startswith(GENERATOR)]
    state = {
        name.removeprefix(GENERATOR): torch.from_numpy(np.array(checkpoint.tensors[name], dtype=np.float32))
        for name in names
    }
    if not any(name.endswith("weight_v") for name in state):
        fold_weight_norm(generator)
    _require_same(set(state), set(generator.state_dict()), checkpoint)
    generator.load_state_dict(state)
    return fold_weight_norm(generator).requires_grad_(False).eval()


def _require_same(found: set[str], wanted: set[str], checkpoint: Checkpoint) -> None:
    odd = sorted(found ^ wanted)
    if odd:
        raise ExportError(
            "the checkpoint's tensors are not those of its network",
            file=checkpoint.provenance.path,
            field=odd[0],
            expected=f"{len(wanted)} tensors",
            got=f"{len(found)}, {len(odd)} of them other ones",
            remedy="Copy or download the checkpoint again.",
        )
