"""`voxgraft export`: a run or a checkpoint for the runtimes that people use, a pack, or for Piper's trainer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice


def export(
    source: Annotated[str, typer.Argument(help="A run's folder, a checkpoint, or an installed voice.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="piper: a voice; onnx: a recogniser, a vocoder, or a text-to-spec model beside its vocoder; sherpa: those two for "
            "sherpa-onnx; pack: with weights and card; trainer: for Piper's trainer. By default what the source is."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write into; the project's voices/ or recognisers/ by default.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the voice: ll_CC-NAME-quality.")] = None,
    language: Annotated[
        str | None, typer.Option(help="espeak-ng voice (en-us), where the checkpoint lacks it.")
    ] = None,
    vocoder: Annotated[
        str | None, typer.Option(help="Renders a text-to-spec model: a checkpoint, a run or an entry of the library.")
    ] = None,
    consent: Annotated[str | None, typer.Option(help="What the speaker agreed to, for the card.")] = None,
    scores: Annotated[Path | None, typer.Option(help="For the card: what `evaluate --json` printed.")] = None,
    archive: Annotated[bool, typer.Option("--zip", help="Pack: write a .zip too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a voice that Piper, Home Assistant and sherpa-onnx speak with, or a recogniser, checked against its model."""
    began = time.monotonic()
    if to != "pack" and (archive or scores is not None):
        raise typer.BadParameter("belongs to --to pack", param_hint="--zip" if archive else "--scores")
    from voxgraft.architectures.families import family_of
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.source import find_source
    from voxgraft.project.project import require_trainable
    from voxgraft.training.tasks.task import ExportRequest, tasks

    known = tasks()
    _check_form(to, {form: task.title for task in known.values() for form in task.exports})
    found = find_source(source)
    checkpoint = open_checkpoint(found.path)
    require_trainable(checkpoint)
    task = known[family_of(checkpoint.family).task]
    if vocoder is not None and family_of(checkpoint.family).kind != "text-to-spec":
        raise typer.BadParameter(f"belongs to a text-to-spec model; this is {task.title}", param_hint="--vocoder")
    if to is not None and to not in task.exports:
        raise typer.BadParameter(f"this is {task.title}: {' or '.join(task.exports)}", param_hint="--to")
    written = task.export(found, checkpoint, ExportRequest(to, out, name, language, consent, scores, archive, vocoder))
    for note in (*checkpoint.notes, *written.notes):
        notice(f"note: {note}")
    if json:
        print_json(
            {
                "to": written.to,
                "source": str(found.path),
                "name": written.name,
                "voice": str(written.files[0]),
                "files": [str(file) for file in written.files],
                "notes": [*checkpoint.notes, *written.notes],
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        return
    print(written.files[0])


def _check_form(to: str | None, forms: Mapping[str, str]) -> None:
    if to is not None and to not in forms:
        raise typer.BadParameter(f"{to!r} is none of {', '.join(forms)}", param_hint="--to")
