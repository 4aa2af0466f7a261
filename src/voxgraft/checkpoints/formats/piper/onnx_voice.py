"""Exported Piper voices: NAME.onnx with NAME.onnx.json beside it."""

from __future__ import annotations

import mmap
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes
from voxgraft.architectures.dimensions.vits import missing_parts, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.onnx import OnnxGraph
from voxgraft.checkpoints.containers.protobuf import BYTES, FieldBudget, read_fields
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.checkpoints.formats.onnx_kinds import kind_of
from voxgraft.checkpoints.formats.piper.onnx_weights import Recovered, recover_vits
from voxgraft.checkpoints.formats.piper.quantised import dequantised
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, Metadata, read_metadata
from voxgraft.checkpoints.licence import stated_licence
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import quality_of
from voxgraft.errors import CheckpointError, naming_file
from voxgraft.files import open_regular
from voxgraft.inference.voice.scales import PIPERS
from voxgraft.inference.voice.settings import VoiceSettings, parse_settings, read_settings_json, settings_beside
from voxgraft.inference.voice.voice import OPTIONAL_INPUTS, REQUIRED_INPUTS

FORMAT = "piper-onnx"
_HEAD_FIELDS = 64
_FLOW = re.compile(r"flow\.flows\.(\d{1,2})\.pre\.")


def recognises(candidate: CheckpointSource) -> bool:
    """True where the content is an ONNX model: protobuf fields of ModelProto, a graph among them."""
    if candidate.head[:1] != b"\x08":
        return False
    with open_regular(candidate.path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
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
    """Recover the whole generator of a voice. Raises CheckpointError where file or settings are damaged."""
    path = candidate.path
    graph, quantised = dequantised(candidate.onnx)
    _check_voice(path, graph)
    settings_path = settings_beside(path)
    raw = read_settings_json(settings_path)
    settings = parse_settings(raw, settings_path)
    _check_alone(path, settings, raw)
    recovered = recover_vits(graph)
    store = TensorStore(recovered.tensors, path)
    own = read_metadata(raw[KEY], settings_path) if isinstance(raw.get(KEY), dict) else Metadata()
    architecture, notes = _named(path, store.shapes, recovered, own)
    _check_complete(path, store.shapes, architecture)
    rows, speakers = architecture["symbols"], architecture["speakers"]
    symbols, beyond = settings.symbols_for(rows)
    licence, source = stated_licence(path)
    return Checkpoint(
        family="vits",
        architecture=architecture,
        tensors=store,
        provenance=Provenance(
            path, FORMAT, candidate.sha256, own.stated_licence() or licence, source, settings.dataset
        ),
        symbols=symbols,
        audio=_audio(settings, own, architecture),
        quality=quality_of(architecture, settings.sample_rate),
        speakers=settings.speaker_names(speakers),
        languages=(settings.language,) if settings.language else (),
        epoch=own.epoch,
        step=own.step,
        inference=settings.scales,
        missing=missing_parts(store.shapes),
        notes=(*quantised, *notes, *_contradictions(raw, rows, speakers), *_beyond(beyond, rows)),
        config=raw,
    )


def _audio(settings: VoiceSettings, own: Metadata, architecture: dict[str, Any]) -> AudioSpec:
    """The spectrogram as voxgraft wrote it, else as the network has it; what the settings state counts first."""
    if own.audio is None:
        return spectrogram_of(architecture, settings.sample_rate, hop=settings.hop)
    return replace(own.audio, sample_rate=settings.sample_rate, hop=settings.hop or own.audio.hop)


def _check_voice(path: Path, graph: OnnxGraph) -> None:
    """Tell a Piper voice by what its graph takes, before anything beside it is asked for."""
    inputs = set(graph.inputs)
    if REQUIRED_INPUTS.keys() <= inputs <= REQUIRED_INPUTS.keys() | OPTIONAL_INPUTS.keys():
        return
    raise CheckpointError(
        "an ONNX model, but not a Piper voice",
        file=path,
        field="inputs",
        expected=", ".join(REQUIRED_INPUTS),
        got=kind_of(graph),
        remedy="Give the .onnx of a Piper voice or of a HiFi-GAN, or the checkpoint that this model was exported from.",
    )


def _check_alone(path: Path, settings: VoiceSettings, raw: dict[str, Any]) -> None:
    """Refuse a voice that is no VITS, but a text-to-spec model and a vocoder in one graph."""
    if settings.scales_taken == PIPERS:
        return
    own = raw[KEY]
    names = [str((own.get(part) or {}).get("name", part))[:80] for part in ("base", "vocoder")]
    raise CheckpointError(
        "a voice of a text-to-spec model and a vocoder in one: it speaks as it is, and can't be taken apart",
        file=path,
        field="family",
        expected="a VITS voice",
        got=f"{names[0]} with {names[1]}",
        remedy="Speak with it: `voxgraft say`. To train, inspect or export, give the checkpoints that it was made of.",
    )


def _contradictions(raw: dict[str, Any], rows: int, speakers: int) -> list[str]:
    """What the settings state and the tensors contradict."""
    found = (("num_symbols", "symbols", rows), ("num_speakers", "speakers", speakers))
    return [
        f"configuration says {raw[name]} {what}, the tensors say {count}: the tensors win"
        for name, what, count in found
        if raw.get(name) is not None and str(raw[name]).strip() != str(count)
    ]


def _beyond(symbols: tuple[str, ...], rows: int) -> list[str]:
    if not symbols:
        return []
    return [f"{len(symbols)} symbols have ids beyond the model's {rows} rows and are left out, such as {symbols[0]!r}"]


def _named(path: Path, shapes: Shapes, recovered: Recovered, own: Metadata) -> tuple[dict[str, Any], list[str]]:
    # A graph is whole or can't be read at all: as many flows as it has are all that there are.
    numbers = [int(match[1]) for name in shapes if (match := _FLOW.match(name))]
    recorded: dict[str, Any] = {"flows": max(numbers) // 2 + 1} if numbers else {}
    if own.audio is not None:
        recorded["filter_length"] = own.audio.n_fft
    with naming_file(path):
        return vits_architecture(shapes, recorded, recovered.upsample_rates, recovered.dilations)


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
