"""What is known of text-to-spec families without their networks: what can be turned, and which tables they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.inference.acoustic.settings import is_acoustic, read_acoustic_settings
from voxgraft.inference.session import open_session
from voxgraft.text.symbols import SymbolTable

WRITES, READS = "text-to-spec", "spec-to-wav"
# What may be turned, by family, in the words of a voice's settings.
CONTROLS: Mapping[str, tuple[str, ...]] = {
    "fastspeech2": ("length_scale", "pitch_scale", "energy_scale"),
    "delightful": ("length_scale", "pitch_scale", "energy_scale"),
    "glow_tts": ("noise_scale", "length_scale"),
}


@dataclass(frozen=True)
class Tables:
    """How many speakers and languages a model tells apart; 1 where it has no table."""

    speakers: int
    languages: int


def controls_of(family: str, architecture: Mapping[str, Any]) -> tuple[str, ...]:
    """What a network with these keyword arguments heeds."""
    without = () if architecture.get("energy", True) else ("energy_scale",)
    return tuple(name for name in CONTROLS[family] if name not in without)


def tables_of(family: str, architecture: Mapping[str, Any]) -> Tables:
    """By the keyword arguments of its network."""
    speakers, languages = int(architecture.get("speakers") or 1), int(architecture.get("languages") or 1)
    if family == "fastspeech2":
        speakers = speakers if architecture.get("multispeaker") else 1
        languages = languages if architecture.get("multilingual") else 1
    return Tables(max(1, speakers), max(1, languages))


def require_text_to_spec(checkpoint: Checkpoint) -> None:
    """Raise ExportError where a checkpoint is no text-to-spec model of a family that speaks here, or lacks its symbols."""
    require_task(checkpoint, WRITES, "a text-to-spec model")
    path = checkpoint.provenance.path
    if checkpoint.family not in CONTROLS:
        raise ExportError(
            f"{family_of(checkpoint.family).title} can be read, but not spoken with here",
            file=path,
            field="family",
            expected=", ".join(family_of(name).title for name in CONTROLS),
            got=checkpoint.family,
            remedy="Take a model of one of these families.",
        )
    if checkpoint.symbols is None:
        why = "it reads phonological features" if checkpoint.architecture.get("features") else "it doesn't say"
        raise ExportError(
            "which symbols its inputs mean is not known",
            file=path,
            field="symbols",
            got=why,
            remedy="Take a model that reads characters or phones, with its configuration beside it.",
        )


def require_task(checkpoint: Checkpoint, task: str, title: str) -> None:
    """Raise ExportError where a checkpoint is of another kind."""
    family = family_of(checkpoint.family)
    if family.kind != task:
        raise ExportError(
            f"this is no {title.split(' ', 1)[1]}",
            file=checkpoint.provenance.path,
            field="family",
            expected=f"{title} ({task})",
            got=f"{family.title} ({family.kind})",
            remedy=f"Give {title}.",
        )


def spectrogram_of(checkpoint: Checkpoint) -> AudioSpec:
    """The spectrograms that a model writes or reads. Raises ExportError where it doesn't say."""
    if checkpoint.audio is None:
        raise ExportError(
            "the checkpoint doesn't say how its spectrograms are made",
            file=checkpoint.provenance.path,
            field="audio",
            remedy="Put its configuration beside it.",
        )
    return checkpoint.audio


def named(names: tuple[str, ...], rows: int) -> tuple[str, ...]:
    """A name for each row of a table of several, the number where there is none; none at all for a single one."""
    return tuple(names[row] if row < len(names) else str(row) for row in range(rows)) if rows > 1 else ()


def symbols_of(name: str) -> SymbolTable:
    """How a checkpoint, a run or an exported text-to-spec model reads a text. Raises CheckpointError, ExportError."""
    path = Path(name).expanduser()
    if path.suffix == ".onnx" and path.is_file():
        metadata = open_session(path, threads=1).get_modelmeta().custom_metadata_map
        if is_acoustic(metadata):
            return read_acoustic_settings(metadata, path).symbols
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.source import find_source

    checkpoint = open_checkpoint(find_source(path).path)
    if checkpoint.symbols is None:
        raise ExportError(
            "it doesn't say which symbols its ids mean, or reads none",
            file=checkpoint.provenance.path,
            field="symbols",
            remedy="Give a voice, or a text-to-spec model with its configuration beside it.",
        )
    return checkpoint.symbols
