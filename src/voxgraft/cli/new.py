"""`voxgraft new`: a project folder with a commented voxgraft.yaml and the corpus's manifest."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice


def new(
    folder: Path = typer.Argument(metavar="NAME", help="Folder to make; its last part names the voice or recogniser."),
    corpus: Path | None = typer.Option(None, help="Recordings with transcripts: a folder or a metadata.csv."),
    base: str = typer.Option("auto", help="A checkpoint, an installed voice, a library entry, or auto to pick one."),
    from_scratch: bool = typer.Option(False, "--from-scratch", help="Start from nothing: needs hours of recordings."),
    recogniser: bool = typer.Option(False, "--recogniser", help="Speech to text, from scratch or from --base."),
    two_stage: bool = typer.Option(
        False,
        "--two-stage",
        help="A text-to-spec model, heard by a vocoder: pitch, energy and durations can be controlled.",
    ),
    language: str | None = typer.Option(
        None, help="espeak-ng voice of the texts, such as en-us; the base's by default."
    ),
    voice_type: str | None = typer.Option(None, help="M, F or other: the kind of voice that auto prefers."),
    quality: str | None = typer.Option(None, help="x_low, low, medium or high; the base's by default."),
    settings: list[str] = typer.Option([], "--set", help="Change a setting: --set training.steps=500."),
    skip_bad: bool = typer.Option(False, "--skip-bad", help="Leave out recordings that can't be used."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Make a project: a folder with a commented voxgraft.yaml, and the manifest of the corpus. Overwrites nothing."""
    from voxgraft.config.load import parse_overrides
    from voxgraft.project.project import FROM_SCRATCH, new_project

    if from_scratch and base != "auto":
        raise typer.BadParameter("--base and --from-scratch exclude each other")
    if recogniser and base == "auto" and not from_scratch:
        raise typer.BadParameter("name its base with --base, or say --from-scratch", param_hint="--recogniser")
    if recogniser and two_stage:
        raise typer.BadParameter("--recogniser and --two-stage exclude each other")
    task = "recogniser" if recogniser else "acoustic" if two_stage else None
    options = {"name": voice_name(folder), "language": language, "voice_type": voice_type, "voice.quality": quality}
    options |= {"base": FROM_SCRATCH if from_scratch else base, "task": task}
    values = parse_overrides(settings, {name: value for name, value in options.items() if value is not None})
    config, manifest = new_project(folder, values, corpus, skip_bad)
    steps = next_commands(folder, corpus is not None, two_stage=config.task == "acoustic")
    if json:
        print_json({"project": str(folder), "base": config.base, "clips": manifest and len(manifest), "next": steps})
        return
    if manifest is not None:
        notice(f"imported {len(manifest)} clips, {manifest.seconds / 60:.1f} minutes, from {corpus}")
    start = {FROM_SCRATCH: "nothing", "auto": "the base that fits best"}.get(str(config.base), config.base)
    print(f"made {folder}, which starts from {start}. Next:")
    for step in steps:
        print(f"  {step}")


def next_commands(folder: Path, has_corpus: bool, *, two_stage: bool = False) -> list[str]:
    """What to run next, ready to paste."""
    project, corpus = shlex.quote(str(folder)), shlex.quote(str(folder / "corpus"))
    steps = [] if has_corpus else [f"voxgraft corpus import RECORDINGS --into {corpus}"]
    return [
        *steps,
        f"voxgraft corpus check {project}",
        f"voxgraft plan {project}",
        f"voxgraft train {project}",
        *([f"voxgraft match {project}"] if two_stage else []),
    ]


def voice_name(folder: Path) -> str:
    """A name for the voice from that of the folder: what a file name may hold everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._") or "voice"
