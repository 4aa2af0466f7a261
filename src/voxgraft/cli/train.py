"""`voxgraft train`: graft the base, train, and export the best voice; or go on with a run that was stopped."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig


def train(
    project: Annotated[Path, typer.Argument(help="Project folder or its voxgraft.yaml.")] = Path("."),
    resume: Annotated[bool, typer.Option(help="Go on with the run where its last checkpoint is.")] = False,
    base: Annotated[str | None, typer.Option(help="Another base for this run; auto picks one.")] = None,
    from_scratch: Annotated[bool, typer.Option(help="Start from no base at all.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the run and of the voice.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for runs/ and voices/.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: training.steps=500.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Train a voice from the project's base; the best so far is exported and can be heard at once."""
    from voxgraft.config.load import load_config
    from voxgraft.training.run import train as run

    if base is not None and from_scratch:
        raise typer.BadParameter("names a base; --from-scratch asks for none", param_hint="--base")
    options = {"base": "none" if from_scratch else base, "name": name, "output": output, "training.device": device}
    overrides = [f"{key}={dumps(str(value))}" for key, value in options.items() if value is not None]
    config = load_config(project, [*overrides, *(settings or ())])
    result = run(config if resume else with_picked_base(config), resume=resume)
    if json:
        best = result.best
        print_json(
            {
                "run": str(result.folder),
                "step": result.step,
                "steps": result.steps,
                "finished": result.finished,
                "voice": None if result.voice is None else str(result.voice),
                "best": None
                if best is None
                else {"step": best.step, "cer": best.cer, "speaker_similarity": best.speaker_similarity},
            }
        )
        return
    typer.echo(f"run: {result.folder} ({result.step} of {result.steps} steps)")
    if result.voice is not None:
        typer.echo(f"best voice: {result.voice}")
        typer.echo(f'next: voxgraft say {result.voice} "Some words." -o words.wav')


def with_picked_base(config: RunConfig) -> RunConfig:
    """The same settings with the base that `auto` picks now, so that the run's own settings name it."""
    from voxgraft.checkpoints import resolve
    from voxgraft.config.load import with_overrides

    if config.base not in (None, "auto"):
        return config
    return with_overrides(config, [f"base={dumps(str(resolve('auto', config)))}"])
