"""`voxgraft text`: what becomes of a text on its way to a voice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxgraft.cli.output import print_json, print_table

if TYPE_CHECKING:
    from voxgraft.text.symbols import SymbolTable


def text(
    raw: Annotated[str | None, typer.Argument(help="The text.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language, as an espeak-ng voice: en-us, de, ru …")] = None,
    voice: Annotated[
        str | None, typer.Option(help="Read it as this does: a voice's .onnx, folder or package, or a checkpoint.")
    ] = None,
    voices: Annotated[bool, typer.Option("--voices", help="List the languages and exit.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what becomes of a text: normalised, phonemes, ids and symbols that the voice doesn't know.

    Normalising tidies characters; a voice that reads letters gets its numbers in words. Abbreviations, dates and amounts of
    money are not written out yet: how espeak-ng reads them is seen in the phonemes.
    """
    if voices:
        _list_voices(json)
        return
    if raw is None:
        raise typer.BadParameter("give a text, or --voices to list the languages", param_hint="RAW")
    from voxgraft.text.encode import describe

    described = describe(raw, _symbols(voice, lang), voice=lang)
    if json:
        print_json(described)
        return
    rows = [("raw", described["raw"]), ("normalised", described["normalised"])]
    for phonemes, ids in zip(described["phonemes"], described["ids"], strict=True):
        rows += [("phonemes", phonemes), ("ids", " ".join(map(str, ids)))]
    unknown = ", ".join(f"{symbol!r} × {count}" for symbol, count in described["unknown"].items())
    print_table("", ("", "text"), [*rows, ("unknown", unknown or "none")])


def _symbols(voice: str | None, lang: str | None) -> SymbolTable:
    if voice is None:
        from voxgraft.config.presets import default_symbols

        return default_symbols(lang or "en-us")
    from voxgraft.inference.voice.locate import find_voice
    from voxgraft.inference.voice.settings import read_settings, settings_beside

    if _is_model(voice):
        from voxgraft.export.acoustic.families import symbols_of

        return symbols_of(voice)
    return read_settings(settings_beside(find_voice(voice))).symbols


def _is_model(voice: str) -> bool:
    """A checkpoint, a run, or a text-to-spec model that was exported: no voice with its settings beside it."""
    path = Path(voice).expanduser()
    if path.is_dir():
        return not any(path.glob("*.onnx"))
    settings = (path.with_name(f"{path.name}.json"), path.with_suffix(".json"))
    return path.is_file() and (path.suffix != ".onnx" or not any(file.is_file() for file in settings))


def _list_voices(json: bool) -> None:
    from voxgraft.text.g2p.espeak import espeak_voices

    names = espeak_voices()
    if json:
        print_json({"voices": names})
    else:
        print_table("", ("language",), [(name,) for name in names])
