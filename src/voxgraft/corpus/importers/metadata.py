"""Metadata files: LJSpeech, Piper and their relatives, one line a recording."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers.columns import (
    NAMES,
    find_delimiter,
    guess_columns,
    header_columns,
    split_line,
)
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.importers.lines import line_fault, numbered_lines
from voxgraft.errors import CorpusError

FILE_NAMES = ("metadata.csv", "metadata.tsv", "metadata.txt", "metadata.psv", "transcripts.csv", "transcript.txt")
SUFFIXES = (".csv", ".tsv", ".psv", ".txt", ".list")
_SAMPLE_LINES = 2000


def find(path: Path) -> Path | None:
    """The metadata file itself, or the one in a folder."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    return next((path / name for name in FILE_NAMES if (path / name).is_file()), None)


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a metadata file; CorpusError where its columns can't be told."""
    lines = (line.strip() for _, line in islice(numbered_lines(path), _SAMPLE_LINES))
    sample = [line for line in lines if line and "\ufffd" not in line]
    delimiter = find_delimiter(sample)
    if delimiter is None:
        raise CorpusError(
            "no columns found",
            file=path,
            expected="lines like `id|text`",
            got=repr(sample[0][:60]) if sample else "an empty file",
            remedy="write one line a recording: its file name, `|`, what is said",
        )
    heading = header_columns(split_line(sample[0], delimiter))
    if columns is None:
        rows = [split_line(line, delimiter) for line in sample[bool(heading) :]]
        columns = heading or guess_columns(rows, delimiter)
    return Source(_rows(path, delimiter, _checked(columns, path), bool(heading)), path.parent)


def _checked(columns: tuple[str, ...] | None, path: Path) -> tuple[str, ...]:
    if columns and "id" in columns and {"text", "normalised"} & set(columns) and set(columns) <= set(NAMES):
        return columns
    raise CorpusError(
        "the columns can't be told",
        file=path,
        field="columns",
        expected=f"id, text and any of {', '.join(NAMES)}",
        got=",".join(columns or ()) or None,
        remedy="name them, as in `--columns id,speaker,text`",
    )


def _rows(path: Path, delimiter: str, columns: tuple[str, ...], heading: bool) -> Iterator[Row | Finding]:
    if delimiter != "|":
        shown = "tabs" if delimiter == "\t" else f"`{delimiter}`"
        yield Finding(
            "*", "delimiter", f"columns are separated by {shown}, not `|`", "nothing, if the texts look right"
        )
    for number, whole in numbered_lines(path):
        line = whole.strip()
        if not line or (heading and number == 1):
            continue
        fault = line_fault(whole)
        cells = split_line(line, delimiter, len(columns)) if not fault else []
        if not fault and not _fits(cells, columns):
            fault = f"expected {len(columns)} columns ({delimiter.join(columns)}), got {len(cells)}"
        if not fault and not cells[columns.index("id")]:
            fault = "no name of a recording"
        if fault:
            clip = line.split(delimiter)[0].strip()[:80].replace("\ufffd", "?")
            yield Finding(clip, "malformed row", fault, f"mend line {number} of {path.name}", number)
        else:
            yield _row(dict(zip(columns, cells, strict=False)), number)


def _fits(cells: list[str], columns: tuple[str, ...]) -> bool:
    return len(cells) == len(columns) or (columns[-1] == "normalised" and len(cells) == len(columns) - 1)


def _row(cells: dict[str, str], number: int) -> Row:
    text = cells.get("normalised") or cells.get("text") or ""
    return Row(cells["id"], cells["id"], text, cells.get("speaker") or None, cells.get("language") or None, number)


IMPORTER = Importer("metadata", find, read)
