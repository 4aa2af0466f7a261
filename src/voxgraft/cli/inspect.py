"""`voxgraft inspect`: what a checkpoint is, what it holds and what it lacks, without loading or running it."""

from __future__ import annotations

from typing import Any

import typer

from voxgraft.cli.output import print_json, print_table


def inspect(
    file: str = typer.Argument(help="A checkpoint, a folder with one voice, or the name of an installed voice."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
    tensors: bool = typer.Option(False, "--tensors", help="List every tensor too."),
) -> None:
    """Say what a checkpoint is, what it holds and what it lacks; nothing in it is run."""
    from voxgraft.checkpoints import open_checkpoint, resolve
    from voxgraft.checkpoints.inspection import inspection_of

    facts = inspection_of(open_checkpoint(resolve(file)), tensors)
    if json:
        print_json(facts)
        return
    print_table(facts["file"], ("", ""), _lines(facts))
    print()
    print_table("", ("part", "parameters"), [(part, f"{count:,}") for part, count in facts["parts"].items()])
    if tensors:
        print()
        rows = [(row["name"], "×".join(map(str, row["shape"])), row["part"]) for row in facts["tensors"]]
        print_table("", ("tensor", "shape", "part"), rows)


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts in words, a line each."""
    named = facts["symbols_named"]
    symbols = f"{facts['symbols']} rows" + (f", {named} named" if named else ", none named")
    voice = f" (espeak-ng voice {facts['espeak_voice']})" if facts["espeak_voice"] else ""
    lines = [
        ("family", facts["family"]),
        ("format", f"{facts['format']}, {facts['bytes'] / 1e6:,.1f} MB"),
        ("quality", facts["quality"] or "none of Piper's presets"),
        ("sample rate", f"{facts['sample_rate']} Hz" if facts["sample_rate"] else "not recorded"),
        ("symbols", symbols + voice),
        ("speakers", _several(facts["speakers"])),
        ("languages", _several(facts["languages"]) or "not recorded"),
        ("parameters", f"{facts['parameters']:,}"),
        ("missing", ", ".join(facts["missing"]) or "nothing"),
        ("epoch, step", f"{_known(facts['epoch'])}, {_known(facts['step'])}"),
        ("training state", ", ".join(facts["training_state"]) or "none"),
        ("dataset", _known(facts["dataset"])),
        ("licence", facts["licence"] or "not stated"),
        ("sha256", facts["sha256"]),
        ("unsafe globals", ", ".join(facts["unsafe_globals"]) or "none"),
    ]
    return lines + [("note", note) for note in facts["notes"]]


def _several(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{len(names)}: {shown}, …" if len(names) > 8 else shown


def _known(value: object) -> str:
    return "not recorded" if value is None else str(value)
