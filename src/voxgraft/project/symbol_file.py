"""A symbol table from a file: a voice's .onnx.json, a JSON of ids, or lines of symbols (sherpa-onnx's tokens.txt too)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.errors import GraftError
from voxgraft.files import open_regular
from voxgraft.inference.voice.settings import parse_settings
from voxgraft.json_file import json_fault
from voxgraft.text.symbols import SymbolTable

MOST_BYTES = 4_000_000
MOST_ROWS = 65_536
_REMEDY = 'Give a voice\'s .onnx.json, JSON like {"a": [1]}, or a text file with a symbol a line.'


def read_symbols(path: Path, base: SymbolTable | None = None) -> SymbolTable:
    """Read a symbol table; what the file leaves open (kind of text, voice, framing) is as in `base`.

    A line holds a symbol, or a symbol and its id; without ids, the order of the lines counts.

    Raises:
        GraftError: not a table, or ids out of range.
    """
    text = read_text(path)
    if text.lstrip().startswith(("{", "[")):
        data = _json(text, path)
        if isinstance(data, dict) and "phoneme_id_map" in data:
            return parse_settings(data, path).symbols
        ids = _ids_of(data, path)
    else:
        ids = _ids_of_lines(text, path)
    if not ids:
        raise _error("holds no symbols", path)
    rows = 1 + max(number for numbers in ids.values() for number in numbers)
    if rows > MOST_ROWS:
        raise _error(f"has an id over {MOST_ROWS - 1}", path)
    framing = {"pad": base.pad, "bos": base.bos, "eos": base.eos, "intersperse": base.intersperse} if base else {}
    return SymbolTable(
        ids=ids,
        rows=rows,
        text_kind=base.text_kind if base is not None else "text",
        voice=base.voice if base is not None else None,
        **framing,  # type: ignore[arg-type]
    )


def read_text(path: Path) -> str:
    """A small UTF-8 text file. Raises GraftError."""
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise GraftError(f"can't be read: {fault.strerror}", file=path, remedy="Check the path.") from fault
    if len(content) > MOST_BYTES:
        raise _error(f"is larger than {MOST_BYTES} bytes", path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise GraftError(
            "is not UTF-8 text", file=path, field=f"line {line}", remedy="Save it as UTF-8 in a text editor."
        ) from fault


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise _error(f"is not JSON: {json_fault(fault)}", path) from fault


def _ids_of(data: Any, path: Path) -> dict[str, tuple[int, ...]]:
    if isinstance(data, list) and all(isinstance(symbol, str) for symbol in data):
        return _numbered(data, path)
    if not isinstance(data, Mapping):
        raise _error("is no symbol table", path)
    ids: dict[str, tuple[int, ...]] = {}
    for symbol, numbers in data.items():
        numbers = [numbers] if isinstance(numbers, int) else numbers
        whole = isinstance(numbers, list) and numbers and all(type(n) is int and n >= 0 for n in numbers)
        if not whole or not symbol:
            raise _error(f"symbol {symbol!r} has no ids", path)
        ids[symbol] = tuple(numbers)
    return ids


def _ids_of_lines(text: str, path: Path) -> dict[str, tuple[int, ...]]:
    # Only these end a line: a symbol may itself be one of the other characters that splitlines() knows.
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if len(lines) > MOST_ROWS:
        raise _error(f"holds more than {MOST_ROWS} lines", path)
    fields = [line.rsplit(" ", 1) for line in lines]
    if not all(len(field) == 2 and field[0] and field[1].isdecimal() for field in fields):
        return _numbered(lines, path)
    ids: dict[str, list[int]] = {}
    for symbol, number in fields:
        ids.setdefault(symbol, []).append(int(number))
    return {symbol: tuple(numbers) for symbol, numbers in ids.items()}


def _numbered(symbols: list[str], path: Path) -> dict[str, tuple[int, ...]]:
    ids: dict[str, tuple[int, ...]] = {}
    for index, symbol in enumerate(symbols):
        if not symbol or symbol in ids:
            raise _error(f"names {symbol!r} twice" if symbol else "holds an empty symbol", path)
        ids[symbol] = (index,)
    return ids


def _error(problem: str, path: Path) -> GraftError:
    return GraftError(problem, file=path, remedy=_REMEDY)
