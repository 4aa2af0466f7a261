"""The symbols that a project's model reads or writes: those that the settings name, else the base's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from voxgraft.architectures.families import Family, family_of
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.presets import default_symbols
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.project.alphabet import byte_table, read_alphabet
from voxgraft.project.symbol_file import read_symbols
from voxgraft.project.task import task_name
from voxgraft.text.g2p import DEFAULT_VOICE
from voxgraft.text.symbols import SymbolTable


def project_symbols(config: RunConfig, base: Checkpoint | None) -> SymbolTable | None:
    """The symbol table of what the project trains; None where neither the settings nor the base say.

    `base` is None for a model from scratch: a voice then gets espeak-ng's IPA.

    Raises:
        GraftError: a named file is no table, more than one is named, or the base can't have a table of that kind.
    """
    settings, inherited = config.graft, base.symbols if base is not None else None
    require_own_table(config, base)
    if settings.bytes:
        return byte_table(inherited)
    if settings.alphabet is not None:
        return read_alphabet(Path(settings.alphabet), inherited)
    if settings.symbols is not None:
        return in_language(read_symbols(Path(settings.symbols), inherited), config.language)
    if base is not None:
        return in_language(inherited, config.language) if inherited is not None else None
    if task_name(config, base) in ("recogniser", "vocoder"):
        return None
    table = in_language(default_symbols(config.language), config.language)
    # A learned alignment can't tell between which frames a pad lies: only VITS' symbols have one after each.
    return replace(table, intersperse=False) if task_name(config, base) == "acoustic" else table


def in_language(table: SymbolTable, language: str | None) -> SymbolTable:
    """A table of espeak-ng's IPA with the voice that reads the texts, its pauses marked; others as they are."""
    if table.text_kind != "espeak":
        return table
    return replace(table, voice=language or table.voice or DEFAULT_VOICE, pauses=True)


def require_own_table(config: RunConfig, base: Checkpoint | None) -> None:
    """GraftError where the settings name more than one table, or one of a kind that the model can't have."""
    settings = config.graft
    asked = {"symbols": settings.symbols, "alphabet": settings.alphabet, "bytes": settings.bytes or None}
    named = [name for name, value in asked.items() if value is not None]
    if len(named) > 1:
        raise GraftError(
            "more than one symbol table is asked for",
            field=f"graft.{named[0]}",
            got=" and ".join(f"graft.{name}" for name in named),
            remedy="Keep one of them.",
        )
    if not named:
        return
    family = family_of(base.family) if base is not None else None
    listens = task_name(config, base) == "recogniser"
    file = base.provenance.path if base is not None else None
    if family is not None and not family.symbol_axis:
        problem, remedy = f"{family.title} reads no symbols", "Leave this setting out."
    elif listens and named == ["symbols"]:
        problem = f"{_title(family)} writes labels, and a table of symbols does not say which is the blank of CTC"
        remedy = "Name a text file with a label a line instead: --alphabet FILE (graft.alphabet); the blank is added by itself."
    elif not listens and named != ["symbols"]:
        problem = f"{_title(family)} is no recogniser"
        remedy = "Name its symbols with --symbols FILE (graft.symbols), or leave this setting out."
    else:
        return
    raise GraftError(problem, file=file, field=f"graft.{named[0]}", remedy=remedy)


def _title(family: Family | None) -> str:
    return family.title if family is not None else "this model from scratch"
