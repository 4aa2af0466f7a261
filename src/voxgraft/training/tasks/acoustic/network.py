"""whole_network: the very network that a checkpoint of a text-to-spec model is, its training parts included."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.models.networks import network_of


def whole_network(checkpoint: Checkpoint) -> nn.Module:
    """In evaluation, float32, on the CPU. CheckpointError where a tensor is missing, unknown or of another shape."""
    network = network_of(checkpoint.family, checkpoint.architecture)
    own, family = network.state_dict(), family_of(checkpoint.family)
    for name, tensor in own.items():
        found = checkpoint.shapes.get(name)
        # The counts of older versions' normalisations are not used, and how far a schedule is only our own files say.
        needless = found is None and (name.endswith("num_batches_tracked") or family.part_of(name) == "schedule")
        if found != tuple(tensor.shape) and not needless:
            raise CheckpointError(
                "a tensor of the model is missing" if found is None else "a tensor of another shape than the model's",
                file=checkpoint.provenance.path,
                field=name,
                expected=tuple(tensor.shape),
                got=found,
                remedy="The file is incomplete or damaged: copy it again, or take an earlier checkpoint of its run.",
            )
    values = {name: torch.from_numpy(np.array(checkpoint.tensors[name])) for name in own if name in checkpoint.shapes}
    network.load_state_dict({**own, **values})
    return network.eval()
