"""Weights: the tensors of a model that Hugging Face's libraries saved, in one file or in shards that an index lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voxgraft.checkpoints.containers.safetensors import is_safetensors, open_safetensors
from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.containers.wrappers import unwrapped_names, wrapped_and_bare
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.files import sha256_of
from voxgraft.json_file import read_object

# What the libraries call a model's weights; the first that is there counts.
NAMES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_MAX_SHARDS = 1000
_INCOMPLETE = "Download the folder again, whole."


@dataclass(frozen=True)
class Weights:
    """Tensors by the names in the files. `unsafe_globals` are what a naive loader would have imported."""

    tensors: Mapping[str, LazyTensor]
    files: tuple[Path, ...]
    unsafe_globals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """name -> shape."""
        return {name: tensor.shape for name, tensor in self.tensors.items()}

    def sha256(self) -> str:
        """That of the file; of several, that of the lines `sha256  name` in the order of the names."""
        hashes = {path.name: sha256_of(path) for path in self.files}
        if len(hashes) == 1:
            return next(iter(hashes.values()))
        lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
        return hashlib.sha256(lines.encode()).hexdigest()


def weights_of_folder(files: Mapping[str, Path]) -> Weights | None:
    """The weights among the files of a folder (name -> path); None where there are none.

    Raises CheckpointError where shards are missing or lie elsewhere, or a file is damaged.
    """
    present = [name for name in NAMES if name in files]
    if not present:
        return None
    chosen = present[0]
    path = files[chosen]
    weights = _sharded(path, files) if chosen.endswith(".index.json") else open_weights(path)
    others = [name for name in present[1:] if name.partition(".")[0] != chosen.partition(".")[0]]
    if others:
        note = f"{chosen} and {others[0]} are both there: {chosen} is read"
        return Weights(weights.tensors, weights.files, weights.unsafe_globals, (*weights.notes, note))
    return weights


def open_weights(path: Path) -> Weights:
    """The tensors of one file of safetensors or of torch.save. Raises CheckpointError."""
    candidate = CheckpointSource(path)
    if is_safetensors(candidate.head):
        return Weights(open_safetensors(path).tensors, (path,))
    file = candidate.torch
    if file is None or not isinstance(file.content, dict):
        raise CheckpointError(
            "not a file of weights",
            file=path,
            expected="safetensors, or a file of torch.save",
            got=candidate.likeness,
            remedy=_INCOMPLETE,
        )
    tensors = {
        str(name): LazyTensor(tensor.shape, tensor.load)
        for name, tensor in file.content.items()
        if isinstance(tensor, TorchTensor)
    }
    notes = tuple(f"a naive loader would have run {call}" for call in file.unsafe_calls)
    return Weights(tensors, (path,), file.unsafe_globals, notes)


def overlaid(under: Weights, over: Weights) -> Weights:
    """The first weights with the second in their place: a model with an adapter."""
    return Weights(
        {**under.tensors, **over.tensors},
        (*under.files, *over.files),
        tuple(dict.fromkeys((*under.unsafe_globals, *over.unsafe_globals))),
        tuple(dict.fromkeys((*under.notes, *over.notes))),
    )


def _sharded(index: Path, files: Mapping[str, Path]) -> Weights:
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise CheckpointError(
            "the list of which tensor is in which file is missing", file=index, field="weight_map", remedy=_INCOMPLETE
        )
    shards = sorted(set(places.values()))
    if len(shards) > _MAX_SHARDS:
        raise CheckpointError("more shards than any real model has", file=index, got=len(shards), remedy=_INCOMPLETE)
    for shard in shards:
        _check_shard(index, shard, files)
    opened = {shard: open_weights(files[shard]) for shard in shards}
    plain = unwrapped_names(places)
    found = {name: _in_shard(opened[shard], plain[name]) for name, shard in places.items()}
    absent = [name for name, tensor in found.items() if tensor is None]
    if absent:
        raise CheckpointError(
            f"{len(absent)} tensors are not in the shard that the index names",
            file=files[places[absent[0]]],
            field=absent[0],
            remedy=_INCOMPLETE,
        )
    return Weights(
        {plain[name]: tensor for name, tensor in found.items() if tensor is not None},
        (index, *(files[shard] for shard in shards)),
        tuple(dict.fromkeys(name for weights in opened.values() for name in weights.unsafe_globals)),
        tuple(dict.fromkeys(note for weights in opened.values() for note in weights.notes)),
    )


def _in_shard(shard: Weights, name: str) -> LazyTensor | None:
    """A tensor by its name in the whole model: a shard may have lost, or kept, a wrapper that its tensors alone share."""
    return next((shard.tensors[place] for place in (name, *wrapped_and_bare(name)) if place in shard.tensors), None)


def _check_shard(index: Path, shard: str, files: Mapping[str, Path]) -> None:
    """A shard stands beside its index and nowhere else."""
    if "/" in shard or "\\" in shard or shard in ("", ".", ".."):
        raise CheckpointError(
            "the index points out of its folder",
            file=index,
            field="weight_map",
            got=shard[:120],
            remedy="Don't use this folder; get the model from its maker.",
        )
    if shard not in files:
        raise CheckpointError("a shard is missing", file=index, field="weight_map", got=shard[:120], remedy=_INCOMPLETE)
