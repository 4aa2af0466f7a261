"""`voxgraft match`: fit a vocoder to the spectrograms of a text-to-spec model, and compare before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json, print_table

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.matching.match import Matched


def match(
    project: Annotated[
        Path | None, typer.Argument(help="Project whose text-to-spec model is trained; the working folder by default.")
    ] = None,
    text_to_spec: Annotated[
        str | None, typer.Option(help="Another text-to-spec model: a run, a checkpoint, a name.")
    ] = None,
    vocoder: Annotated[str | None, typer.Option(help="The vocoder to match; the project's by default.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the vocoder's run; NAME-matched-vocoder by default.")
    ] = None,
    corpus: Annotated[Path | None, typer.Option(help="Recordings with transcripts, where there is no project.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for runs/, where there is no project.")] = None,
    force: Annotated[
        bool, typer.Option("--force-pitch-energy", help="Take pitch and energy from the recordings too.")
    ] = False,
    minutes: Annotated[float | None, typer.Option(help="Train no longer than this.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train so many steps.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the vocoder's run: training.batch=8.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Generate spectrograms that are as long as the recordings, train the vocoder on them, and measure both vocoders."""
    from voxgraft.matching.match import match as run

    config = _config(project, text_to_spec, corpus, output)
    asked = {"training.minutes": minutes, "training.steps": steps}
    values = {name: value for name, value in asked.items() if value is not None}
    found = run(
        config,
        text_to_spec=text_to_spec,
        vocoder=vocoder,
        name=name,
        force_pitch=force,
        force_energy=force,
        values=values,
        overrides=settings or (),
    )
    if json:
        print_json(found.to_dict())
        return
    show_matched(found)


def _config(project: Path | None, text_to_spec: str | None, corpus: Path | None, output: Path | None) -> RunConfig:
    from voxgraft.config.load import load_config

    if corpus is None:
        return load_config(project or Path())
    if project is not None:
        raise typer.BadParameter("a project has its own recordings", param_hint="--corpus")
    if text_to_spec is None:
        raise typer.BadParameter("name the text-to-spec model that made no project here", param_hint="--text-to-spec")
    values = {"task": "acoustic", "corpus.path": str(corpus), "output": str(output or Path("matched"))}
    return load_config(None, [], values)


def show_matched(found: Matched) -> None:
    """Print the table, and where everything is."""
    if found.comparison is None:
        print(f"stopped at step {found.run.step} of {found.run.steps}; the same command goes on: {found.run.folder}")
        return
    metrics = found.comparison.scores["result"].metrics
    summaries = [found.comparison.summary(role) or {} for role in ("base", "result", "recordings")]
    changes = found.comparison.change() or {}
    rows = []
    for metric in metrics:
        cells = [_cell(summary.get(metric.name), metric.factor, metric.digits) for summary in summaries]
        rows.append((metric.title, *cells, _cell(changes.get(metric.name), metric.factor, metric.digits)))
    print_table("Vocoder matching", ("", "before", "after", "recordings", "change"), rows)
    for line in (f"vocoder: {found.run.folder}", f"report: {found.report}"):
        print(line)


def _cell(interval: tuple[float, float, float] | None, factor: float, digits: int) -> str:
    if interval is None:
        return ""
    value, low, high = (f"{factor * number:.{digits}f}" for number in interval)
    return f"{value} ({low} … {high})"
