"""abilities_of: what voxgraft can do with a checkpoint, and where it can't, what is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voxgraft.architectures.dimensions.vits import beyond
from voxgraft.architectures.families import Family, families, family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import CheckpointError


@dataclass(frozen=True)
class Ability:
    """Something that a user may want. `how` is the command that does it, or why it can't be done."""

    name: str
    possible: bool
    how: str


def abilities_of(checkpoint: Checkpoint) -> tuple[Ability, ...]:
    """Speak now, fine-tune, transfer, match a vocoder, export: each with its command or its obstacle."""
    family = family_of(checkpoint.family)
    path = checkpoint.provenance.path
    obstacle = _obstacle(checkpoint, family)
    steps = (
        ("speak", obstacle or _not_a(family, "voice"), f'voxgraft say {path} "Some words." -o words.wav'),
        ("fine-tune", obstacle or _untrainable(family), f"voxgraft new my-voice --base {path} --corpus RECORDINGS"),
        ("transfer", obstacle or _no_symbols(family), f"voxgraft plan --base {path} --symbols SYMBOLS"),
        ("match", _unmatchable(family), f"voxgraft plan --base ACOUSTIC --vocoder {path}"),
        _export(family, obstacle, path),
    )
    return tuple(Ability(name, not why, why or how) for name, why, how in steps)


def _export(family: Family, obstacle: str, path: Path) -> tuple[str, str, str]:
    if family.task == "recogniser":
        return ("export", obstacle or _untrainable(family), f"voxgraft export {path} --to onnx")
    return ("export", obstacle or _not_a(family, "voice"), f"voxgraft export {path} --to piper")


def _obstacle(checkpoint: Checkpoint, family: Family) -> str:
    """Why the model as a whole can't be used; empty where it can."""
    silent = [part.title for part in family.parts if part.speaks and part.wanted]
    absent = [title for title in silent if title in family.missing(checkpoint.tensors)]
    if absent:
        return f"the file lacks what it speaks with: {', '.join(absent)}"
    unplaced = beyond(checkpoint.tensors, checkpoint.architecture["speakers"]) if family.name == "vits" else None
    if unplaced is not None:
        return f"voices with {unplaced[1]} are not run here yet"
    if any(name in checkpoint.tensors for name in family.symbol_axis) and checkpoint.symbols is None:
        return "the file does not say what its symbols are: put its configuration beside it"
    return ""


def _not_a(family: Family, task: str) -> str:
    if family.task != task:
        return f"{family.title} alone is a {family.task} model"
    return "" if family.trains else f"voxgraft does not run {family.title} yet"


def _untrainable(family: Family) -> str:
    trained = ", ".join(known.title for known in families().values() if known.trains)
    return "" if family.trains else f"voxgraft trains {trained}, not {family.title} yet"


def _no_symbols(family: Family) -> str:
    return "" if family.symbol_axis else f"{family.title} has no symbols: it fits any language"


def _unmatchable(family: Family) -> str:
    return "" if family.task == "spec-to-wav" else f"{family.title} is no vocoder"


def trained_families() -> tuple[str, ...]:
    """Names of the families that voxgraft trains."""
    return tuple(name for name, family in families().items() if family.trains)


def check_trainable(checkpoint: Checkpoint) -> None:
    """Raise CheckpointError, naming the families that can be trained, where this one can't."""
    if checkpoint.family not in trained_families():
        raise CheckpointError(
            "this family can be inspected and planned but not trained yet",
            file=checkpoint.provenance.path,
            field="family",
            expected=" or ".join(trained_families()),
            got=checkpoint.family,
            remedy="take a base of one of these; `voxgraft plan` shows what of this one would carry over",
        )
