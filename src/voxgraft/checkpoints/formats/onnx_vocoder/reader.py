"""Exported vocoders (.onnx): those that voxgraft wrote, and HiFi-GANs that others exported from the authors' network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.upsampler import upsampler_architecture
from voxgraft.architectures.families import families, family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.onnx import OnnxGraph
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.formats.hifigan_original.config import audio_beside
from voxgraft.checkpoints.formats.onnx_vocoder.hifigan import looks_like_hifigan, recover_hifigan
from voxgraft.checkpoints.formats.piper.onnx_voice import recognises as is_onnx
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, read_metadata
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import as_tuples
from voxgraft.errors import CheckpointError, naming_file

FORMAT = "onnx-vocoder"
BEFORE = {"piper-onnx": "it is asked for any ONNX, and says what else it may be"}
_GENERATOR = "generator."
# What a graph computes with besides the weights.
_CONSTANTS = (".basis", ".squares", ".transform.window")


def recognises(candidate: CheckpointSource) -> bool:
    """True for an ONNX that voxgraft wrote of a vocoder, or whose convolutions are those of a HiFi-GAN."""
    if not is_onnx(candidate):
        return False
    try:
        graph = candidate.onnx
    except CheckpointError:
        return False
    return _own(graph) is not None or _hifigan(graph) is not None


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read weights, architecture and spectrogram. Raises CheckpointError where the file is damaged."""
    graph = candidate.onnx
    own = _own(graph)
    with naming_file(candidate.path):
        return _read_own(candidate, graph, own) if own is not None else _read_hifigan(candidate, graph)


def _own(graph: OnnxGraph) -> dict[str, Any] | None:
    """What voxgraft wrote into a vocoder's file."""
    try:
        found = json.loads(graph.metadata.get(KEY, "null"))
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "vocoder" else None


def _read_own(candidate: CheckpointSource, graph: OnnxGraph, own: Mapping[str, Any]) -> Checkpoint:
    path = candidate.path
    metadata = read_metadata({name: value for name, value in own.items() if value is not None}, path)
    if metadata.family not in families() or family_of(metadata.family).task != "vocoder":
        raise CheckpointError(
            "no vocoder that is known here",
            field=KEY,
            got=metadata.family[:60],
            remedy="Take the checkpoint that it was exported from.",
        )
    tensors = {
        name: _lazy(graph, name)
        for name in graph.initialisers
        if name.startswith(_GENERATOR) and not name.endswith(_CONSTANTS)
    }
    if not tensors:
        raise CheckpointError(
            "its weights have lost their names",
            remedy="Take the checkpoint that it was exported from, or the .onnx as voxgraft wrote it.",
        )
    return Checkpoint(
        family=metadata.family,
        architecture={name: as_tuples(value) for name, value in metadata.architecture.items()},
        tensors=TensorStore(tensors, path),
        provenance=Provenance(path, FORMAT, candidate.sha256, metadata.stated_licence()),
        audio=metadata.audio,
        epoch=metadata.epoch,
        step=metadata.step,
        missing=family_of(metadata.family).missing(tensors),
    )


def _hifigan(graph: OnnxGraph) -> Any | None:
    found = recover_hifigan(graph)
    shapes = {name: tensor.shape for name, tensor in found.tensors.items()} if found is not None else {}
    return found if looks_like_hifigan(shapes) else None


def _read_hifigan(candidate: CheckpointSource, graph: OnnxGraph) -> Checkpoint:
    path, notes = candidate.path, list[str]()
    found = _hifigan(graph)
    assert found is not None, "recognised"
    store = TensorStore(found.tensors, path)
    shapes = store.shapes
    pre = shapes.get("generator.conv_pre.weight") or shapes["generator.conv_pre.weight_v"]
    architecture = {
        "mels": pre[1],
        **upsampler_architecture(shapes, _GENERATOR, {}, notes, rates=found.upsample_rates, dilations=found.dilations),
        "normed_ends": True,
        "post_bias": "generator.conv_post.bias" in shapes,
    }
    licence, source = stated_licence(path)
    return Checkpoint(
        family="hifigan",
        architecture=architecture,
        tensors=store,
        provenance=Provenance(path, FORMAT, candidate.sha256, licence, source),
        audio=_audio(path, architecture["mels"], notes),
        missing=family_of("hifigan").missing(store),
        notes=tuple(notes),
    )


def _audio(path: Path, mels: int, notes: list[str]) -> AudioSpec | None:
    """By the configuration beside it: the graph does not say how its spectrograms are made."""
    return audio_beside(path, mels, notes)


def _lazy(graph: OnnxGraph, name: str) -> LazyTensor:
    return LazyTensor(graph.initialisers[name].shape, lambda: graph.array(name))
