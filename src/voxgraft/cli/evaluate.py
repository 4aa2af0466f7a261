"""`voxgraft evaluate`: base and result side by side on texts, or on recordings, that neither was trained on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.training.tasks.task import Task


def evaluate(
    result: Annotated[
        str,
        typer.Argument(
            help="A voice (.onnx, folder, package), a text-to-spec model or vocoder (run, checkpoint), or a recogniser "
            "(.onnx, run, checkpoint)."
        ),
    ],
    project: Annotated[
        Path | None,
        typer.Option(help="The project that made it: its base, recogniser, seeds, and texts it was not trained on."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="What it started from, judged on the same texts or recordings.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="Recordings of the wanted voice, or to be transcribed: a folder, metadata or manifest; `sample` is the bundled one."
        ),
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Ids of the corpus that were not trained on, one a line; default: all.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts to speak instead, one a line, as `text` or `id|text`.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Syntheses of each text; the project's, or 3.")
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Speaker of the result, by name or number.")] = None,
    base_speaker: Annotated[str | None, typer.Option(help="Speaker of the base, by name or number.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts; default: the voice's.")] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(
            help="Folder of a faster-whisper model; `auto` takes an installed one, `none` does without; the project's, or auto."
        ),
    ] = None,
    dnsmos: Annotated[bool | None, typer.Option(help="Measure sound quality too; the project's, or yes.")] = None,
    vocoder: Annotated[
        str | None, typer.Option(help="Lets a text-to-spec model be heard; the run's own by default.")
    ] = None,
    base_vocoder: Annotated[str | None, typer.Option(help="The same for its base; default: the result's.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with the scores, sound and pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Say how well a voice is understood, how like the target it sounds and how clean, next to its base.

    Of a recogniser: how many words and characters it hears wrongly, next to its base.
    """
    began = time.monotonic()
    _check_options(project, corpus, held_out, texts)
    from voxgraft.training.tasks.task import EvaluationRequest, task_of_result

    task, opened = task_of_result(result)
    given = {
        "texts": texts,
        "seeds": seeds,
        "speaker": speaker,
        "base_speaker": base_speaker,
        "language": language,
        "recogniser": recogniser,
        "dnsmos": dnsmos,
        "vocoder": vocoder,
        "base_vocoder": base_vocoder,
    }
    _check_taken(given, task)
    settings = None if project is None else _settings(project)
    request = EvaluationRequest(settings, base, corpus, held_out, report=report, **given)
    found = task.evaluate(opened, request)
    if json:
        written = {"report": None if report is None else str(report), "seconds": round(time.monotonic() - began, 1)}
        print_json(dict(found.values) | written)
        return
    print_table(found.title, found.columns, found.rows)
    for note in found.notes:
        notice(note)
    if report is not None:
        notice(f"{report}: listen and compare")


def _check_taken(given: Mapping[str, object], task: Task) -> None:
    """Bad usage where an option is given that the result's task has no use for."""
    for name, value in given.items():
        if value is not None and name not in task.evaluates_with:
            raise typer.BadParameter(
                f"is not for {task.title}, which this is", param_hint=f"--{name.replace('_', '-')}"
            )


def _check_options(project: Path | None, corpus: str | None, held_out: Path | None, texts: Path | None) -> None:
    if project is not None and (corpus is not None or held_out is not None):
        raise typer.BadParameter(
            "brings corpus and held-out texts: leave the other options out", param_hint="--project"
        )
    if held_out is not None and corpus is None:
        raise typer.BadParameter("needs --corpus, whose ids it lists", param_hint="--held-out")
    if held_out is not None and texts is not None:
        raise typer.BadParameter("chooses texts of the corpus; --texts gives others: take one", param_hint="--held-out")


def _settings(project: Path) -> RunConfig:
    from voxgraft.config.load import load_config
    from voxgraft.project.project import find_project

    return find_project(project) or load_config(project)
