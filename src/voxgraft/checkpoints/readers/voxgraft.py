"""Our own safetensors: canonical names, and the metadata as JSON under `voxgraft` in the header."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.checkpoints.candidate import Candidate
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.located import located
from voxgraft.checkpoints.metadata import KEY, as_recorded, read_metadata
from voxgraft.checkpoints.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.vits_architecture import missing_parts, vits_architecture
from voxgraft.config.presets import as_tuples, quality_of
from voxgraft.errors import CheckpointError

FORMAT = "voxgraft-safetensors"
_MAX_HEADER = 100 * 2**20
_DAMAGED = "The file is damaged or incomplete: copy or export it again."


def recognises(candidate: Candidate) -> bool:
    """True for safetensors: the length of a JSON header, then the header."""
    size = int.from_bytes(candidate.head[:8], "little")
    return 2 <= size <= _MAX_HEADER and candidate.head[8:9] == b"{"


def read(candidate: Candidate) -> Checkpoint:
    """Read a voice of ours. Raises CheckpointError where the file is damaged or someone else's."""
    path = candidate.path
    header, tensors = _open(path)
    if KEY not in header:
        raise CheckpointError(
            "safetensors without a voxgraft header: which model the tensors belong to isn't said",
            file=path,
            remedy="Give a file that voxgraft exported, or a Piper .ckpt or .onnx.",
        )
    own = read_metadata(header[KEY], path)
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
    )


def _open(path: Path) -> tuple[dict[str, str], TensorStore]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as fault:
        raise CheckpointError(f"damaged safetensors: {str(fault)[:120]}", file=path, remedy=_DAMAGED) from fault

    def loader(name: str) -> Callable[[], np.ndarray]:
        def load() -> np.ndarray:
            with safe_open(path, framework="np") as file:
                array: np.ndarray = file.get_tensor(name)
                return array

        return load

    return header, TensorStore({name: LazyTensor(shape, loader(name)) for name, shape in shapes.items()}, path)


def _vits(path: Path, tensors: TensorStore, architecture: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    with located(path):
        return vits_architecture(tensors.shapes, as_recorded(architecture))


def header_of(metadata: dict[str, Any]) -> dict[str, str]:
    """The metadata as a safetensors header holds it."""
    return {KEY: json.dumps(metadata, ensure_ascii=False, default=list)}
