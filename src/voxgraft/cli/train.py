"""`voxgraft train`: graft the base, train, and export the best voice; or go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json

if TYPE_CHECKING:
    from voxgraft.training.run import RunResult


def train(
    project: Annotated[Path, typer.Argument(help="Project folder or its voxgraft.yaml.")] = Path("."),
    resume: Annotated[bool, typer.Option(help="Go on with the run where its last checkpoint is.")] = False,
    base: Annotated[str | None, typer.Option(help="Another base for this run; auto picks one.")] = None,
    from_scratch: Annotated[bool, typer.Option(help="Start from no base at all.")] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Accept that less than half of the network comes from the base.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out recordings that can't be used, and say so.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the run and of the voice.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for runs/ and voices/.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: training.steps=500.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Train what the project's base is: a voice, whose best is exported at once, or a recogniser, which is tested at the end."""
    from voxgraft.config.load import load_config
    from voxgraft.project.project import FROM_SCRATCH
    from voxgraft.training.run import train as run

    if base is not None and from_scratch:
        raise typer.BadParameter("names a base; --from-scratch asks for none", param_hint="--base")
    options = {
        "base": FROM_SCRATCH if from_scratch else base,
        "name": name,
        "output": None if output is None else str(output),
        "training.device": device,
        "graft.allow_partial": allow_partial or None,
        "corpus.skip_bad": skip_bad or None,
    }
    values = {place: value for place, value in options.items() if value is not None}
    show_run(run(load_config(project, settings or (), values), resume=resume), json)


def show_run(result: RunResult, json: bool) -> None:
    """Print what came out of a run; of several processes the first does."""
    if not result.speaks:
        return
    if json:
        state = {"run": str(result.folder), "step": result.step, "steps": result.steps, "finished": result.finished}
        print_json(state | dict(result.outcome.values))
        return
    print(f"run: {result.folder} ({result.step} of {result.steps} steps)")
    for line in result.outcome.lines:
        print(line)
