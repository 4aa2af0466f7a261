"""`voxgraft train`: graft the base, train, and export the best voice; or go on with a run that was stopped.

Also what users of EveryVoice and Coqui TTS type: `train text-to-spec CONFIG -c NAME=VALUE`, `train --restore_path MODEL`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from typer.core import TyperCommand

from voxgraft.cli.output import print_json
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.training.run import RunResult


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
EVERYVOICE = ("text-to-spec", "spec-to-wav")
_COQUI = "voxgraft.coqui"


class TrainCommand(TyperCommand):
    """The command, which takes the flags of Coqui TTS's trainer out of what it parses: their names are fields of theirs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep their flags with their values apart, and parse the rest."""
        from voxgraft.config.coqui_tts import is_coqui

        rest, pairs = [], []
        waiting = iter(args)
        for argument in waiting:
            if not is_coqui(argument):
                rest.append(argument)
                continue
            name, equals, value = argument.partition("=")
            value = value if equals else next(waiting, "")
            if not value:
                raise click.UsageError(f"{name} needs a value.", ctx)
            pairs.append((name, value))
        ctx.meta[_COQUI] = pairs
        return super().parse_args(ctx, rest)


@app.command("train", cls=TrainCommand)
def train(
    context: typer.Context,
    project: Annotated[
        Path,
        typer.Argument(
            help="Project folder or its voxgraft.yaml; or text-to-spec or spec-to-wav, with a configuration of EveryVoice."
        ),
    ] = Path("."),
    everyvoice: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="EveryVoice's configuration, as everyvoice-text-to-spec.yaml."),
    ] = None,
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
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "-c", "--config-args", metavar="NAME=VALUE", help="Change one of EveryVoice's: training.finetune=True."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Train what the project's base is: a voice, whose best is exported at once, or a recogniser, which is tested at the end.

    Also as EveryVoice has it: text-to-spec CONFIG or spec-to-wav CONFIG, with -c. And as Coqui TTS has it: --restore_path
    MODEL, --config_path CONFIG, --coqpit.lr 0.00001.
    """
    from voxgraft.project.project import FROM_SCRATCH

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
    if everyvoice is not None or changes:
        show_run(_as_everyvoice(str(project), everyvoice, changes or (), settings or (), values, resume), json)
        return
    show_run(_as_ours(project, context.meta[_COQUI], settings or (), values, resume), json)


def _as_everyvoice(
    kind: str, path: Path | None, changes: Sequence[str], settings: Sequence[str], values: dict[str, Any], resume: bool
) -> RunResult:
    from voxgraft.training.everyvoice import train_everyvoice

    if kind not in EVERYVOICE or path is None:
        raise typer.BadParameter("needs text-to-spec or spec-to-wav before it, and a path", param_hint="CONFIG")
    return train_everyvoice(path, kind, changes, settings, values, resume=resume)


def _as_ours(
    project: Path, pairs: Sequence[tuple[str, str]], settings: Sequence[str], values: dict[str, Any], resume: bool
) -> RunResult:
    from voxgraft.config.coqui_tts import read_coqui
    from voxgraft.config.load import PROJECT_FILE, load_config
    from voxgraft.training.run import train as run

    asked = read_coqui(pairs)
    for line in asked.told:
        notice(line)
    # Coqui's flags need no project: the recordings are those that its configuration names.
    named = project if not pairs or project != Path(".") or (project / PROJECT_FILE).exists() else None
    theirs = dict(asked.settings)
    if named is not None and "--coqpit.output_path" not in dict(pairs):
        # A project stays where it is, whatever the configuration beside a base says.
        theirs.pop("output", None)
    return run(load_config(named, settings, {**theirs, **values}), resume=resume)


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
