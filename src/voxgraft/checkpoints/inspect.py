"""What `inspect` tells about a checkpoint, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voxgraft.architectures.families import family_of, part_of
from voxgraft.checkpoints.abilities import abilities_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.checkpoints.soundness import unsound_tensors
from voxgraft.text.symbols import SymbolTable


def inspection_of(checkpoint: Checkpoint, tensors: bool = False, named: str | None = None) -> dict[str, Any]:
    """Facts about a checkpoint; null where a thing does not apply. `tensors` adds a row for each. `named` is what the user
    calls it, for the commands."""
    shapes = _shapes(checkpoint)
    origin = checkpoint.provenance
    sound = checkpoint.audio or checkpoint.features
    document: dict[str, Any] = {
        "file": str(origin.path),
        "bytes": _bytes(origin.path),
        "family": checkpoint.family,
        "variant": checkpoint.variant,
        "format": origin.format,
        "quality": checkpoint.quality,
        "sample_rate": sound.sample_rate if sound else None,
        "symbols": checkpoint.architecture.get("symbols", len(checkpoint.symbols) if checkpoint.symbols else None),
        "symbols_named": len(checkpoint.symbols) if checkpoint.symbols else None,
        "espeak_voice": checkpoint.symbols.voice if checkpoint.symbols else None,
        "speakers": list(checkpoint.speakers),
        "languages": list(checkpoint.languages),
        "parameters": sum(map(math.prod, shapes.values())),
        "parts": _parts(checkpoint.family, shapes),
        "missing": list(checkpoint.missing),
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "learning_rate": checkpoint.learning_rate,
        "training_state": sorted(checkpoint.training_state) if checkpoint.training_state else [],
        "dataset": origin.dataset,
        "licence": origin.licence,
        "source": origin.source,
        "sha256": origin.sha256,
        "unsafe_globals": list(origin.unsafe_globals),
        "statements": list(origin.statements),
        "architecture": dict(checkpoint.architecture),
        "audio": sound.to_dict() if sound else None,
        "symbol_table": _symbol_table(checkpoint.symbols),
        "unsound": unsound_tensors(checkpoint.tensors),
        "abilities": {ability.name: asdict(ability) for ability in abilities_of(checkpoint, named)},
        "notes": list(checkpoint.notes),
    }
    if tensors:
        document["tensors"] = [
            {
                "name": name,
                "shape": list(shape),
                "parameters": math.prod(shape),
                "part": part_of(checkpoint.family, name),
            }
            for name, shape in shapes.items()
        ]
    return document


def _symbol_table(symbols: SymbolTable | None) -> dict[str, Any] | None:
    """Symbols by their ids, and what frames a text."""
    if symbols is None:
        return None
    table = symbols.to_dict()
    roles = {role: table[role] for role in ("pad", "bos", "eos", "blank")}
    return {
        "reads": symbols.text_kind,
        "intersperse": symbols.intersperse,
        **roles,
        "symbols": {symbol: list(symbols.ids[symbol]) for symbol in symbols.symbols},
    }


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _shapes(checkpoint: Checkpoint) -> Mapping[str, tuple[int, ...]]:
    if isinstance(checkpoint.tensors, TensorStore):
        return checkpoint.tensors.shapes
    return {name: array.shape for name, array in checkpoint.tensors.items()}


def _parts(family: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Parameters of each part, in the order of the family's parts."""
    counts: dict[str, int] = {}
    for name, shape in shapes.items():
        part = part_of(family, name)
        counts[part] = counts.get(part, 0) + math.prod(shape)
    known = [part.title for part in family_of(family).parts if part.title in counts]
    return {part: counts[part] for part in (*known, *(part for part in counts if part not in known))}
