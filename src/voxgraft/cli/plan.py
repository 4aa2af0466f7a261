"""`voxgraft plan`: what becomes of every tensor, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.graft.plan import GraftPlan
    from voxgraft.graft.vocoder import VocoderFit


def plan(
    project: Path | None = typer.Argument(None, help="Project folder or YAML file; the working folder by default."),
    base: str | None = typer.Option(
        None, help="A checkpoint, an installed voice, a library entry; auto picks one; none: from scratch."
    ),
    from_scratch: bool = typer.Option(False, "--from-scratch", help="Start from no base at all."),
    quality: str | None = typer.Option(None, help="x_low, low, medium or high; the base's by default."),
    speakers: str | None = typer.Option(None, help="How many speakers, or their names with commas."),
    languages: str | None = typer.Option(None, help="Languages of a base that has several, with commas."),
    rename: list[str] = typer.Option(
        [],
        metavar="OLD=NEW",
        help="Call a speaker or language of the base otherwise; two with one new name are joined.",
    ),
    symbols: Path | None = typer.Option(None, help="File with another symbol table."),
    alphabet: Path | None = typer.Option(None, help="File with the labels of a recogniser, one a line."),
    as_bytes: bool = typer.Option(False, "--bytes", help="Let a recogniser write UTF-8 bytes."),
    drop_source_layers: int | None = typer.Option(
        None, help="Layers of a recogniser, counted from its output, that start anew."
    ),
    map_letters: bool | None = typer.Option(None, help="Letters of both alphabets keep their output rows."),
    freeze: list[str] = typer.Option([], metavar="PART", help="A part that stays as it is; as often as you like."),
    vocoder: str | None = typer.Option(None, help="A vocoder: can it read what the base writes?"),
    allow_partial: bool = typer.Option(False, "--allow-partial", help="Accept that less than half is carried over."),
    settings: list[str] = typer.Option([], "--set", help="Change a setting: --set graft.from_speaker=anna."),
    every: bool = typer.Option(False, "--all", help="A line for every tensor."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Say what would become of every tensor of the base: copied, remapped, new or dropped, and why. Trains nothing."""
    from voxgraft.config.load import PROJECT_FILE, load_config
    from voxgraft.graft.plan_project import compare_vocoder, plan_project
    from voxgraft.project.project import FROM_SCRATCH, cannot_train

    if from_scratch and base is not None:
        raise typer.BadParameter("names a base; --from-scratch asks for none", param_hint="--base")
    asked = {
        "base": FROM_SCRATCH if from_scratch else base,
        "voice.quality": quality,
        "graft.speakers": speaker_names(speakers) if speakers is not None else None,
        "graft.languages": speaker_names(languages) if languages is not None else None,
        "graft.rename": renames(rename) or None,
        "graft.symbols": symbols,
        "graft.alphabet": alphabet,
        "graft.bytes": as_bytes or None,
        "graft.drop_source_layers": drop_source_layers,
        "graft.map_letters": {True: "always", False: "never", None: None}[map_letters],
        "graft.allow_partial": allow_partial or None,
        "training.freeze": freeze or None,
    }
    if project is None and Path(PROJECT_FILE).exists():
        project = Path()
    values = {name: value for name, value in asked.items() if value is not None}
    graft = plan_project(load_config(project, settings, values))
    untrained = cannot_train(graft.base) if graft.base is not None else None
    if untrained is not None:
        notice(f"warning: {untrained[0]}")
    fit = compare_vocoder(graft, vocoder) if vocoder is not None else None
    refusals = graft.plan.refusals + (fit.refusals if fit is not None else ())
    if json:
        told = {"refusals": list(refusals), "vocoder": fit.to_dict() if fit is not None else None}
        print_json(graft.plan.to_dict() | told)
    else:
        show_plan(graft.plan, every)
        if fit is not None:
            show_vocoder(fit)
    for refusal in refusals:
        notice(f"error: {refusal}")
    if refusals:
        raise typer.Exit(1)


def show_plan(plan: GraftPlan, every: bool = False) -> None:
    """Print a plan as a table with a verdict below; warnings go to stderr."""
    from voxgraft.graft.table import SUMMARY_COLUMNS, TENSOR_COLUMNS, every_tensor, summary, verdict

    if every:
        print_table("Graft plan", TENSOR_COLUMNS, every_tensor(plan))
    else:
        print_table("Graft plan", SUMMARY_COLUMNS, summary(plan))
    for line in ("", *verdict(plan)):
        print(line)
    for warning in plan.warnings:
        notice(f"warning: {warning}")


def show_vocoder(fit: VocoderFit) -> None:
    """Print how two models' spectrograms differ."""
    print("")
    if fit.differences:
        rows = [(name, ours, theirs) for name, (ours, theirs) in fit.differences.items()]
        print_table(f"Spectrograms: {fit.vocoder}", ("field", "acoustic model", "vocoder"), rows)
    elif not (fit.refusals or fit.warnings):
        print(f"spectrograms: {fit.vocoder} reads what this model writes")
    for warning in fit.warnings:
        notice(f"warning: {warning}")


def renames(given: list[str]) -> dict[str, str]:
    """`["a=x", "b=y"]` -> {"a": "x", "b": "y"}."""
    found: dict[str, str] = {}
    for text in given:
        old, equals, new = text.partition("=")
        if not equals or not old.strip() or not new.strip():
            raise typer.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--rename")
        if found.get(old.strip(), new.strip()) != new.strip():
            raise typer.BadParameter(f"{old.strip()!r} is given two names", param_hint="--rename")
        found[old.strip()] = new.strip()
    return found


def speaker_names(text: str) -> list[str]:
    """`3` -> speaker0, speaker1, speaker2; `ann, ben` -> ann, ben."""
    if text.strip().isdecimal() and len(text) < 6:
        return [f"speaker{number}" for number in range(int(text))]
    return [name.strip() for name in text.split(",") if name.strip()]
