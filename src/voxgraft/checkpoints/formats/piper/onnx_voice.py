"""Exported Piper voices: NAME.onnx with NAME.onnx.json beside it."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes
from voxgraft.architectures.dimensions.vits import missing_parts, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.onnx import read_onnx
from voxgraft.checkpoints.containers.protobuf import BYTES, FieldBudget, read_fields
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.checkpoints.formats.piper.onnx_weights import Recovered, recover_vits
from voxgraft.checkpoints.formats.piper.voice_config import VoiceConfig, parse_voice_config, read_voice_json
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, Metadata, read_metadata
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import quality_of
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.text.symbols import SymbolTable

FORMAT = "piper-onnx"
_ENDINGS = (".onnx.json", ".json")
_HEAD_FIELDS = 64


def recognises(candidate: CheckpointSource) -> bool:
    """True where the content is an ONNX model: protobuf fields of ModelProto, a graph among them."""
    if candidate.head[:1] != b"\x08":
        return False
    with open(candidate.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        numbers = set()
        try:
            for number, wire, _ in read_fields(buffer, (0, len(buffer)), FieldBudget(_HEAD_FIELDS)):
                numbers.add((number, wire))
        except CheckpointError:
            return _looks_cut_off(numbers)
    return (7, BYTES) in numbers or _looks_cut_off(numbers)


def _looks_cut_off(numbers: set[tuple[int, int]]) -> bool:
    """An IR version and a producer's name, then damage: an ONNX file that ends too early."""
    return {(1, 0), (2, BYTES)} <= numbers


def read(candidate: CheckpointSource) -> Checkpoint:
    """Recover the whole generator of a voice. Raises CheckpointError where file or configuration is damaged."""
    path = candidate.path
    config_path = config_beside(path)
    raw = read_voice_json(config_path)
    config = parse_voice_config(raw, config_path)
    graph = read_onnx(path)
    recovered = recover_vits(graph)
    store = TensorStore(recovered.tensors, path)
    architecture, notes = _named(path, store.shapes, recovered)
    _check_complete(path, store.shapes, architecture)
    rows, speakers = architecture["symbols"], architecture["speakers"]
    if config.num_symbols != rows:
        notes.append(f"configuration says {config.num_symbols} symbols, the tensors say {rows}: the tensors win")
    if config.num_speakers != speakers:
        notes.append(f"configuration says {config.num_speakers} speakers, the tensors say {speakers}: the tensors win")
    own = read_metadata(raw[KEY], config_path) if isinstance(raw.get(KEY), dict) else Metadata()
    licence, source = stated_licence(path)
    return Checkpoint(
        family="vits",
        architecture=architecture,
        tensors=store,
        provenance=Provenance(path, FORMAT, candidate.sha256, own.stated_licence() or licence, source, config.dataset),
        symbols=_symbols(config, rows, config_path),
        audio=config.audio_spec(),
        quality=quality_of(architecture, config.audio.sample_rate),
        speakers=config.speakers(speakers),
        languages=(config.language.code,) if config.language and config.language.code else (),
        epoch=own.epoch,
        step=own.step,
        inference=config.inference.model_dump(include={"noise_scale", "length_scale", "noise_w"}),
        missing=missing_parts(store.shapes),
        notes=tuple(notes),
        config=raw,
    )


def config_beside(path: Path) -> Path:
    """The configuration that belongs to a voice: NAME.onnx.json, or NAME.json."""
    for candidate in (path.with_name(path.name + ".json"), path.with_suffix(".json")):
        if candidate.is_file():
            return candidate
    raise CheckpointError(
        f"its configuration {path.name}.json is not beside it",
        file=path,
        remedy=f"Put the voice's .onnx.json there, under the name {path.name}.json.",
    )


def _named(path: Path, shapes: Shapes, recovered: Recovered) -> tuple[dict[str, Any], list[str]]:
    with naming_file(path):
        return vits_architecture(shapes, {}, recovered.upsample_rates, recovered.dilations)


def _symbols(config: VoiceConfig, rows: int, config_path: Path) -> SymbolTable:
    try:
        return config.symbols(rows)
    except ValueError as fault:
        raise CheckpointError(
            str(fault),
            file=config_path,
            field="phoneme_id_map",
            remedy="Use the .onnx.json that was published with this voice.",
        ) from fault


def _check_complete(path: Path, shapes: Shapes, architecture: dict[str, Any]) -> None:
    """Hold what was found against what such a model has at inference."""
    absent = sorted(inference_names(architecture) - set(shapes))
    if absent:
        raise CheckpointError(
            f"{len(absent)} of the voice's tensors can't be found in the graph",
            file=path,
            field=absent[0],
            remedy="Give the .onnx as Piper's exporter wrote it, not one that was optimised afterwards.",
        )
