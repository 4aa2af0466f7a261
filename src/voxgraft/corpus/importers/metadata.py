"""Metadata files: LJSpeech, Piper and their relatives, one line a recording."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from voxgraft.corpus.finding import Finding
from voxgraft.corpus.importers.columns import (
    NAMES,
    find_delimiter,
    guess_columns,
    header_columns,
    split_line,
)
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.errors import CorpusError

FILE_NAMES = ("metadata.csv", "metadata.tsv", "metadata.txt", "metadata.psv", "transcripts.csv", "transcript.txt")
SUFFIXES = (".csv", ".tsv", ".psv", ".txt", ".list")
LONGEST_LINE = 1 << 20
_SAMPLE_LINES = 2000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def find(path: Path) -> Path | None:
    """The metadata file itself, or the one in a folder."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    return next((path / name for name in FILE_NAMES if (path / name).is_file()), None)


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a metadata file; CorpusError where its columns can't be told."""
    sample = [line for _, line in islice(_lines(path), _SAMPLE_LINES) if line and "\ufffd" not in line]
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
    for number, line in _lines(path):
        if not line or (heading and number == 1):
            continue
        fault = _line_fault(line)
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


def _line_fault(line: str) -> str | None:
    if len(line) >= LONGEST_LINE:
        return f"the line is over {LONGEST_LINE} characters long"
    if "\ufffd" in line:
        return "not valid UTF-8"
    return "holds NUL characters" if "\0" in line else None


def _row(cells: dict[str, str], number: int) -> Row:
    text = cells.get("normalised") or cells.get("text") or ""
    return Row(cells["id"], cells["id"], text, cells.get("speaker") or None, cells.get("language") or None, number)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Stripped lines with their numbers; a byte-order mark, UTF-16 and any line ends are understood."""
    with open(path, encoding=_encoding(path), errors="replace") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            whole = line
            while len(line) >= LONGEST_LINE and not line.endswith("\n"):
                line = file.readline(LONGEST_LINE)
            yield number, whole.strip() if len(whole) < LONGEST_LINE else whole


def _encoding(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as fault:
        raise CorpusError(
            f"can't be read: {fault.strerror}", file=path, remedy="check the name and its permissions"
        ) from fault
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    # Text in UTF-16 without a mark has a zero in every other byte of its ASCII part.
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(head) >= 8
            and head[offset::2].count(0) > 0.4 * len(head[offset::2])
            and head[1 - offset :: 2].count(0) == 0
        ):
            return encoding
    return "utf-8"


IMPORTER = Importer("metadata", find, read)
