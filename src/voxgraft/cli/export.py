"""`voxgraft export`: a run or a checkpoint as a Piper voice, a voice pack, or a checkpoint for Piper's trainer."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json, say_line

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.export.metadata import VoiceMetadata
    from voxgraft.export.source import Source


class Form(StrEnum):
    """What can be written."""

    piper = "piper"
    pack = "pack"
    trainer = "trainer"


def export(
    source: Annotated[str, typer.Argument(help="A run's folder, a checkpoint, or an installed voice.")],
    to: Annotated[
        Form, typer.Option(help="piper: a voice; pack: with weights and card; trainer: for Piper's trainer.")
    ] = Form.piper,
    out: Annotated[Path | None, typer.Option(help="Folder to write into; the project's voices/ by default.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the voice: ll_CC-NAME-quality.")] = None,
    language: Annotated[
        str | None, typer.Option(help="espeak-ng voice (en-us), where the checkpoint lacks it.")
    ] = None,
    consent: Annotated[str | None, typer.Option(help="What the speaker agreed to, for the card.")] = None,
    scores: Annotated[Path | None, typer.Option(help="For the card: what `evaluate --json` printed.")] = None,
    archive: Annotated[bool, typer.Option("--zip", help="Pack: write a .zip too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a voice that Piper, Home Assistant and sherpa-onnx speak with, checked against the model it comes from."""
    began = time.monotonic()
    if to is not Form.pack and (archive or scores is not None):
        raise typer.BadParameter("belongs to --to pack", param_hint="--zip" if archive else "--scores")
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.source import describe_voice, find_source

    found = find_source(source)
    checkpoint = open_checkpoint(found.path)
    metadata = describe_voice(checkpoint, name=name, language=language, consent=consent)
    folder = out or (found.run.parent.parent / "voices" if found.run else Path("voices"))
    files, notes = _write(to, found, checkpoint, metadata, folder, scores, archive)
    notes = [*checkpoint.notes, *notes]
    for note in notes:
        say_line(f"note: {note}")
    if json:
        print_json(
            {
                "to": to.value,
                "source": str(found.path),
                "name": metadata.voice_name,
                "voice": str(files[0]),
                "files": [str(file) for file in files],
                "notes": notes,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        return
    typer.echo(files[0])


def _write(
    to: Form,
    found: Source,
    checkpoint: Checkpoint,
    metadata: VoiceMetadata,
    folder: Path,
    scores: Path | None,
    archive: bool,
) -> tuple[list[Path], tuple[str, ...]]:
    """What was written, the main file first, and what the user should know."""
    from voxgraft.export.load import load_vits

    architecture: Any = checkpoint.architecture
    measured = _read_scores(scores) if scores is not None else None
    loaded = load_vits(checkpoint)
    if to is Form.trainer:
        from voxgraft.checkpoints import open_checkpoint
        from voxgraft.export.to_trainer import export_trainer

        judges = open_checkpoint(found.last) if found.last else checkpoint
        path, notes = export_trainer(loaded, metadata, architecture, folder, judges)
        return [path, path.with_name("config.json")], notes
    if to is Form.pack:
        from voxgraft.export.pack import write_pack

        pack = write_pack(loaded, metadata, architecture, folder, scores=measured, archive=archive)
        others = [file for file in pack.files if file != pack.voice]
        return [pack.voice, *others, *([pack.archive] if pack.archive else [])], ()
    from voxgraft.export.piper import export_piper, tokens_path

    voice = export_piper(loaded.model, metadata, folder)
    return [voice, voice.with_name(f"{voice.name}.json"), tokens_path(folder, metadata)], ()


def _read_scores(path: Path) -> dict[str, Any]:
    import json

    from voxgraft.errors import ExportError

    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise ExportError(
            f"not a file of scores: {' '.join(str(fault).split())[:120]}",
            file=path,
            remedy="give the file that `voxgraft evaluate --json` wrote",
        ) from fault
    if not isinstance(found, dict):
        raise ExportError(
            "not a file of scores",
            file=path,
            expected="a JSON object",
            got=type(found).__name__,
            remedy="give the file that `voxgraft evaluate --json` wrote",
        )
    return found
