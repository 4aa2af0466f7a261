"""What commands print: one JSON document or a table on stdout; everything else on stderr."""

from __future__ import annotations

import codecs
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voxgraft.progress import notice

WIDTH_WITHOUT_TERMINAL = 120
# Longer words are folded where a terminal is narrow.
FOLDED = 14
BETWEEN_COLUMNS = 3


_SHOWN = "voxgraft.shown"
_replaced: set[str] = set()


def prepare_streams() -> None:
    """Let stdout and stderr take every text: letters that their encoding lacks are replaced by question marks."""
    codecs.register_error(_SHOWN, _shown)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # It was closed before we began.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_SHOWN if name == "stdout" else "backslashreplace")


def tell_replaced() -> None:
    """Say that letters were replaced, once."""
    if _replaced:
        letters = ascii("".join(sorted(_replaced)[:8]))[1:-1]
        notice(
            f"Some letters can't be written in {sys.stdout.encoding} and stand as question marks ({letters}). "
            "PYTHONIOENCODING=utf-8 before the command writes them all."
        )
        _replaced.clear()


def _shown(fault: UnicodeError) -> tuple[str, int]:
    assert isinstance(fault, UnicodeEncodeError)
    lacking = fault.object[fault.start : fault.end]
    _replaced.update(lacking)
    return "?" * len(lacking), fault.end


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """One JSON document on stdout, valid whatever its encoding: letters that it lacks are written as `\\u…`."""
    text = json.dumps(_plain(document), ensure_ascii=False, indent=indent, default=str, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), ensure_ascii=True, indent=indent)
    sys.stdout.write(f"{text}\n")


def _plain(value: Any) -> Any:
    """The same with null for numbers that JSON has no word for."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout, as wide as the terminal, or 120 columns where there is none.

    The title is a line of its own, however long: a path can be copied whole. A terminal too narrow for the columns gets
    longer lines, not empty cells.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    table = Table(show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    console.width = max(console.width, _least_width([columns, *cells]))
    if title:
        console.print(Text(title, "italic"), soft_wrap=True)
    console.print(table)


def _least_width(cells: Sequence[Sequence[str]]) -> int:
    """Characters that a table needs for every column to show words, the longest ones folded."""
    words = ([len(word) for cell in column for word in cell.split()] for column in zip(*cells, strict=True))
    return sum(min(max(lengths, default=0), FOLDED) + BETWEEN_COLUMNS for lengths in words)
