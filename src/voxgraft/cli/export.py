"""`voxgraft export`: a run or a checkpoint as a Piper voice, a recogniser in ONNX, a pack, or for Piper's trainer."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.export.piper.metadata import VoiceMetadata
    from voxgraft.export.source import Source


class Form(StrEnum):
    """What can be written."""

    piper = "piper"
    onnx = "onnx"
    pack = "pack"
    trainer = "trainer"


def export(
    source: Annotated[str, typer.Argument(help="A run's folder, a checkpoint, or an installed voice.")],
    to: Annotated[
        Form | None,
        typer.Option(
            help="piper: a voice; onnx: a recogniser; pack: with weights and card; trainer: for Piper's trainer. By default "
            "what the source is."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into; the project's voices/ or recognisers/ by default.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the voice: ll_CC-NAME-quality.")] = None,
    language: Annotated[
        str | None, typer.Option(help="espeak-ng voice (en-us), where the checkpoint lacks it.")
    ] = None,
    consent: Annotated[str | None, typer.Option(help="What the speaker agreed to, for the card.")] = None,
    scores: Annotated[Path | None, typer.Option(help="For the card: what `evaluate --json` printed.")] = None,
    archive: Annotated[bool, typer.Option("--zip", help="Pack: write a .zip too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a voice that Piper, Home Assistant and sherpa-onnx speak with, or a recogniser, checked against its model."""
    began = time.monotonic()
    if to is not Form.pack and (archive or scores is not None):
        raise typer.BadParameter("belongs to --to pack", param_hint="--zip" if archive else "--scores")
    from voxgraft.architectures.families import family_of
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.source import describe_voice, find_source

    found = find_source(source)
    checkpoint = open_checkpoint(found.path)
    if family_of(checkpoint.family).task == "recogniser":
        files = _write_recogniser(to, found, checkpoint, name, out, archive)
        _tell(to or Form.onnx, found, files, name or files[0].stem, checkpoint.notes, began, json)
        return
    to = to or Form.piper
    if to is Form.onnx:
        raise typer.BadParameter("is for recognisers; this is a voice: piper, pack or trainer", param_hint="--to")
    metadata = describe_voice(checkpoint, name=name, language=language, consent=consent)
    folder = out or (found.run.project.voices if found.run else Path("voices"))
    files, notes = _write(to, found, checkpoint, metadata, folder, scores, archive)
    _tell(to, found, files, metadata.voice_name, (*checkpoint.notes, *notes), began, json)


def _tell(
    to: Form, found: Source, files: list[Path], name: str, notes: tuple[str, ...], began: float, json: bool
) -> None:
    for note in notes:
        notice(f"note: {note}")
    if json:
        print_json(
            {
                "to": to.value,
                "source": str(found.path),
                "name": name,
                "voice": str(files[0]),
                "files": [str(file) for file in files],
                "notes": list(notes),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        return
    print(files[0])


def _write_recogniser(
    to: Form | None, found: Source, checkpoint: Checkpoint, name: str | None, out: Path | None, archive: bool
) -> list[Path]:
    """What was written, the model first."""
    if to not in (None, Form.onnx, Form.pack):
        raise typer.BadParameter("is for voices; this is a recogniser: onnx or pack", param_hint="--to")
    name = name or (found.run.name if found.run else found.path.stem)
    folder = out or (found.run.project.recognisers if found.run else Path("recognisers"))
    if to is Form.pack:
        from voxgraft.export.recogniser.pack import write_recogniser_pack

        test = _read_scores(found.run.test) if found.run and found.run.test.is_file() else None
        pack = write_recogniser_pack(checkpoint, folder, name, test=test, archive=archive)
        return [*pack.files, *([pack.archive] if pack.archive else [])]
    from voxgraft.export.recogniser.onnx import export_recogniser
    from voxgraft.export.recogniser.sherpa import tokens_beside
    from voxgraft.inference.recogniser.settings import settings_path

    model = export_recogniser(checkpoint, folder / name, name)
    return [model, settings_path(model), *tokens_beside(model)]


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
    from voxgraft.export.piper.load import load_vits

    architecture: Any = checkpoint.architecture
    measured = _read_scores(scores) if scores is not None else None
    loaded = load_vits(checkpoint)
    if to is Form.trainer:
        from voxgraft.checkpoints import open_checkpoint
        from voxgraft.export.piper.to_trainer import export_trainer

        judges = open_checkpoint(found.last) if found.last else checkpoint
        path, notes = export_trainer(loaded, metadata, architecture, folder, judges)
        return [path, path.with_name("config.json")], notes
    if to is Form.pack:
        from voxgraft.export.pack import write_pack

        pack = write_pack(loaded, metadata, architecture, folder, scores=measured, archive=archive)
        others = [file for file in pack.files if file != pack.voice]
        return [pack.voice, *others, *([pack.archive] if pack.archive else [])], ()
    from voxgraft.export.piper.voice import export_piper, tokens_path

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
            remedy="Give the file that `voxgraft evaluate --json` wrote.",
        ) from fault
    if not isinstance(found, dict):
        raise ExportError(
            "not a file of scores",
            file=path,
            expected="a JSON object",
            got=type(found).__name__,
            remedy="Give the file that `voxgraft evaluate --json` wrote.",
        )
    return found
