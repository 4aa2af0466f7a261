"""`voxgraft inspect`: what a checkpoint is, what it holds and what it lacks, without loading or running it."""

from __future__ import annotations

from typing import Any

import typer

from voxgraft.cli.output import print_json, print_table

SYMBOLS_SHOWN = 64
_ABSENT = object()


def inspect(
    file: str = typer.Argument(help="A checkpoint, a folder with one voice, or the name of an installed voice."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
    tensors: bool = typer.Option(False, "--tensors", help="List every tensor too."),
) -> None:
    """Say what a checkpoint is, what it holds and what it lacks; nothing in it is run."""
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.checkpoints.inspect import inspection_of
    from voxgraft.library.resolve import resolve

    facts = inspection_of(open_checkpoint(resolve(file)), tensors, file)
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
    print()
    for line in _abilities(facts):
        typer.echo(line)


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts in words, a line each."""
    from voxgraft.config.presets import quality_name

    lines = [
        ("family", facts["family"] + (f", as {facts['variant']} has it" if facts["variant"] else "")),
        ("format", f"{facts['format']}, {facts['bytes'] / 1e6:,.1f} MB"),
        *([("quality", quality_name(facts["quality"]))] if facts["family"] == "vits" else []),
        ("audio", _audio(facts)),
        ("symbols", _symbols(facts)),
        ("speakers", _several(facts["speakers"])),
        ("languages", _several(facts["languages"]) or "not recorded"),
        ("parameters", f"{facts['parameters']:,}"),
        ("missing", ", ".join(facts["missing"]) or "nothing"),
        ("epoch, step", f"{_known(facts['epoch'])}, {_known(facts['step'])}"),
        ("learning rate", _known(facts["learning_rate"])),
        ("training state", ", ".join(facts["training_state"]) or "none"),
        ("dataset", _known(facts["dataset"])),
        ("licence", facts["licence"] or "not stated"),
        ("sha256", facts["sha256"]),
        ("a naive loader imports", ", ".join(facts["unsafe_globals"]) or "nothing unsafe"),
    ]
    lines += [("no numbers", f"{name}: {found}") for name, found in list(facts["unsound"].items())[:8]]
    lines += [("its maker says", statement) for statement in facts["statements"]]
    return lines + [("note", note) for note in facts["notes"]]


def _abilities(facts: dict[str, Any]) -> list[str]:
    """What can be done, each on one line however long, so that a command can be copied."""
    abilities = facts["abilities"].items()
    words = {name: ("can " if found["possible"] else "can't ") + name for name, found in abilities}
    return [f"{words[name]:<17}  {found['how']}" for name, found in abilities]


def _audio(facts: dict[str, Any]) -> str:
    """The parameters that must agree before another model can read its spectrograms; usual ones go unsaid."""
    from voxgraft.audio.spec import AudioSpec

    audio = facts["audio"]
    if audio is None:
        return f"{facts['sample_rate']} Hz" if facts["sample_rate"] else "not recorded"
    usual = AudioSpec(audio["sample_rate"]).to_dict() | {"sample_rate": audio["sample_rate"]}
    first = ("n_fft", "hop", "win", "n_mels", "fmin", "fmax")
    shown = [name for name in audio if name in first or audio[name] != usual.get(name, _ABSENT)]
    return (
        f"{audio['sample_rate']} Hz; {', '.join(f'{name} {audio[name]}' for name in shown if audio[name] is not None)}"
    )


def _symbols(facts: dict[str, Any]) -> str:
    table = facts["symbol_table"]
    if facts["symbols"] is None:
        return "none"
    if table is None:
        return f"{facts['symbols']} rows, none named"
    roles = ", ".join(f"{role} {table[role]!r}" for role in ("pad", "bos", "eos", "blank") if table[role] is not None)
    voice = f" (espeak-ng voice {facts['espeak_voice']})" if facts["espeak_voice"] else ""
    shown = " ".join(
        symbol if symbol.isprintable() and symbol.strip() else repr(symbol)
        for symbol in list(table["symbols"])[:SYMBOLS_SHOWN]
    )
    more = ", … (all with --json)" if len(table["symbols"]) > SYMBOLS_SHOWN else ""
    return f"{facts['symbols']} rows, {facts['symbols_named']} named, {table['reads']}{voice}; {roles}\n{shown}{more}"


def _several(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{len(names)}: {shown}, …" if len(names) > 8 else shown


def _known(value: object) -> str:
    return "not recorded" if value is None else str(value)
