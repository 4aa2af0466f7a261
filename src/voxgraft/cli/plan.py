"""`voxgraft plan`: what becomes of every tensor, without training."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from voxgraft.cli.output import print_json, print_table, say_line

if TYPE_CHECKING:
    from voxgraft.graft.plan import GraftPlan


def plan(
    project: Path | None = typer.Argument(None, help="Project folder or YAML file; the working folder by default."),
    base: str | None = typer.Option(
        None, help="A checkpoint, an installed voice, a library entry; auto picks one; none: from scratch."
    ),
    from_scratch: bool = typer.Option(False, "--from-scratch", help="Start from no base at all."),
    quality: str | None = typer.Option(None, help="x_low, low, medium or high; the base's by default."),
    speakers: str | None = typer.Option(None, help="How many speakers, or their names with commas."),
    symbols: Path | None = typer.Option(None, help="File with another symbol table."),
    settings: list[str] = typer.Option([], "--set", help="Change a setting: --set graft.from_speaker=anna."),
    every: bool = typer.Option(False, "--all", help="A line for every tensor."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Say what would become of every tensor of the base: copied, remapped, new or dropped, and why. Trains nothing."""
    from voxgraft.config.load import PROJECT_FILE, load_config
    from voxgraft.graft.project import FROM_SCRATCH, plan_project

    if from_scratch and base is not None:
        raise typer.BadParameter("names a base; --from-scratch asks for none", param_hint="--base")
    options = {
        "base": FROM_SCRATCH if from_scratch else base,
        "quality": quality,
        "graft.symbols": str(symbols) if symbols else None,
    }
    overrides = [f"{name}={json_text.dumps(value)}" for name, value in options.items() if value is not None]
    if speakers is not None:
        overrides.append(f"graft.speakers={json_text.dumps(speaker_names(speakers))}")
    if project is None and Path(PROJECT_FILE).exists():
        project = Path()
    result = plan_project(load_config(project, [*overrides, *settings])).plan
    if json:
        print_json(result.to_dict())
    else:
        show_plan(result, every)
    for refusal in result.refusals:
        say_line(f"error: {refusal}")
    if result.refusals:
        raise typer.Exit(1)


def show_plan(plan: GraftPlan, every: bool = False) -> None:
    """Print a plan as a table with a verdict below; warnings go to stderr."""
    from voxgraft.graft.table import SUMMARY_COLUMNS, TENSOR_COLUMNS, every_tensor, summary, verdict

    if every:
        print_table("Graft plan", TENSOR_COLUMNS, every_tensor(plan))
    else:
        print_table("Graft plan", SUMMARY_COLUMNS, summary(plan))
    for line in ("", *verdict(plan)):
        typer.echo(line)
    for warning in plan.warnings:
        say_line(f"warning: {warning}")


def speaker_names(text: str) -> list[str]:
    """`3` -> speaker0, speaker1, speaker2; `ann, ben` -> ann, ben."""
    if text.strip().isdecimal() and len(text) < 6:
        return [f"speaker{number}" for number in range(int(text))]
    return [name.strip() for name in text.split(",") if name.strip()]
