"""Checkpoints of our own runs of all but voices: a file of torch.save with canonical names, what it is under `voxgraft`.

Those of voices are laid out as Piper's trainer has them."""

from __future__ import annotations

from typing import Any

from voxgraft.architectures.families import families
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, read_metadata
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import as_tuples
from voxgraft.errors import CheckpointError

FORMAT = "voxgraft-ckpt"
TASKS = ("recogniser", "acoustic", "vocoder")
BEFORE = {"hugging-face": "the names of its tensors are in the file itself; a config.json is only near it"}
_STATE = "state_dict"
_TRAINING = ("optimizer_states", "voxgraft_run")


def recognises(candidate: CheckpointSource) -> bool:
    """True where `voxgraft` names a family of these tasks."""
    own = _content(candidate).get(KEY)
    family = own.get("family") if isinstance(own, dict) else None
    known = families().get(family) if isinstance(family, str) else None
    return known is not None and known.task in TASKS


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read the weights as they were at that step, not averaged. Raises CheckpointError where the file is damaged."""
    path, content = candidate.path, _content(candidate)
    own = read_metadata(content[KEY], path)
    state = content.get(_STATE)
    tensors = {
        name: LazyTensor(tensor.shape, tensor.load)
        for name, tensor in (state.items() if isinstance(state, dict) else ())
        if isinstance(name, str) and isinstance(tensor, TorchTensor)
    }
    if not tensors:
        raise CheckpointError("holds no weights", file=path, field=_STATE, remedy="Take another checkpoint of the run.")
    return Checkpoint(
        family=own.family,
        architecture={name: as_tuples(value) for name, value in own.architecture.items()},
        tensors=TensorStore(tensors, path),
        provenance=Provenance(
            path,
            FORMAT,
            candidate.sha256,
            own.stated_licence(),
            own.source,
            own.dataset,
            candidate.torch.unsafe_globals if candidate.torch else (),
        ),
        symbols=own.symbols,
        audio=own.audio,
        features=own.features,
        speakers=own.speakers,
        languages=own.language_codes(),
        epoch=own.epoch,
        step=own.step,
        training_state={name: content[name] for name in _TRAINING if name in content} or None,
        notes=("the weights of this step; the averaged ones, which are tested and exported, are in the run's best/",),
        config=own.config,
    )


def _content(candidate: CheckpointSource) -> dict[Any, Any]:
    content = candidate.torch.content if candidate.torch is not None else None
    return content if isinstance(content, dict) else {}
