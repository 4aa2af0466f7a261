"""`voxgraft train`: graft the base, train, and export the best voice; or go on with a run that was stopped."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
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
    from voxgraft.training.run import train as run

    if base is not None and from_scratch:
        raise typer.BadParameter("names a base; --from-scratch asks for none", param_hint="--base")
    options = {"base": "none" if from_scratch else base, "name": name, "output": output, "training.device": device}
    overrides = [f"{key}={dumps(str(value))}" for key, value in options.items() if value is not None]
    overrides += ["graft.allow_partial=true"] if allow_partial else []
    overrides += ["corpus.skip_bad=true"] if skip_bad else []
    config = load_config(project, [*overrides, *(settings or ())])
    result = run(config if resume else with_picked_base(config), resume=resume)
    if is_recogniser(result):
        tell_of_recogniser(result, json)
        return
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
    print(f"run: {result.folder} ({result.step} of {result.steps} steps)")
    if result.voice is not None:
        print(f"best voice: {result.voice}")
        print(f'next: voxgraft say {result.voice} "Some words." -o words.wav')


def is_recogniser(result: RunResult) -> bool:
    """Whether a run trained a recogniser."""
    return result.best is not None and result.best.wer is not None


def tell_of_recogniser(result: RunResult, json: bool) -> None:
    """Print what came out of a recogniser's run."""
    from voxgraft.training.tasks.ctc.report import REPORT
    from voxgraft.training.tasks.ctc.testing import measures_of, told

    exported = result.folder.parent.parent / "recognisers" / result.folder.name / f"{result.folder.name}.onnx"
    if json:
        state = {"run": str(result.folder), "step": result.step, "steps": result.steps, "finished": result.finished}
        files = {"recogniser": exported, "report": result.folder / REPORT}
        found = {name: str(path) if path.is_file() else None for name, path in files.items()}
        print_json(state | found | measures_of(result.tested))
        return
    print(f"run: {result.folder} ({result.step} of {result.steps} steps)")
    for line in told(result.tested):
        print(line)
    if (result.folder / REPORT).is_file():
        print(f"report: {result.folder / REPORT}")
    if exported.is_file():
        print(f"next: voxgraft transcribe {exported} RECORDING")


def with_picked_base(config: RunConfig) -> RunConfig:
    """The same settings with the base that `auto` picks now, so that the run's own settings name it."""
    from voxgraft.config.load import with_overrides
    from voxgraft.library.resolve import resolve

    if config.base not in (None, "auto") or config.task == "recogniser":
        return config
    return with_overrides(config, [f"base={dumps(str(resolve('auto', config)))}"])
