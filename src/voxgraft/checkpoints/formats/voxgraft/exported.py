"""Our own safetensors: canonical names, and the metadata as JSON under `voxgraft` in the header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxgraft.architectures.dimensions.vits import missing_parts, vits_architecture
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.containers.safetensors import is_safetensors, open_safetensors
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, as_recorded, read_metadata
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.config.presets import as_tuples, quality_of
from voxgraft.errors import CheckpointError, naming_file

FORMAT = "voxgraft-safetensors"


def recognises(candidate: CheckpointSource) -> bool:
    """True for safetensors: the length of a JSON header, then the header."""
    return is_safetensors(candidate.head)


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read a voice of ours. Raises CheckpointError where the file is damaged or someone else's."""
    path = candidate.path
    file = open_safetensors(path)
    tensors = TensorStore(file.tensors, path)
    if KEY not in file.metadata:
        raise CheckpointError(
            "safetensors without a voxgraft header: which model the tensors belong to isn't said",
            file=path,
            remedy="Put the config.json that came with it beside it, or give a file that voxgraft exported.",
        )
    own = read_metadata(file.metadata[KEY], path)
    audio = own.audio_spec()
    quality: str | None = own.quality
    if own.family == "vits":
        architecture, notes = _vits(path, tensors, own.architecture)
        missing = missing_parts(tensors.shapes)
        quality = quality_of(architecture, audio.sample_rate if audio else None)
    else:
        architecture = {name: as_tuples(value) for name, value in own.architecture.items()}
        notes, missing = [], ()
    return Checkpoint(
        family=own.family,
        architecture=architecture,
        tensors=tensors,
        provenance=Provenance(path, FORMAT, candidate.sha256, own.stated_licence(), own.source, own.dataset),
        symbols=own.symbols,
        audio=audio,
        quality=quality,
        speakers=own.speakers or (own.name or own.dataset or "default",),
        languages=own.language_codes(),
        epoch=own.epoch,
        step=own.step,
        inference=own.inference or own.scales or {},
        missing=missing,
        notes=tuple(notes),
        config=own.config,
        features=own.features,
    )


def _vits(path: Path, tensors: TensorStore, architecture: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    with naming_file(path):
        return vits_architecture(tensors.shapes, as_recorded(architecture))


def header_of(metadata: dict[str, Any]) -> dict[str, str]:
    """The metadata as a safetensors header holds it."""
    return {KEY: json.dumps(metadata, ensure_ascii=False, default=list)}
