"""Metadata files: LJSpeech, Piper and their relatives, one line a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers.cells import Cells, Style, cells_of, quotes_all, split_line
from voxgraft.corpus.importers.columns import (
    NAMES,
    find_delimiter,
    guess_columns,
    header_columns,
    knows_heading,
    looks_like_heading,
)
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.importers.recordings import Recordings, UnsafePath
from voxgraft.corpus.lines import line_fault, numbered_lines
from voxgraft.errors import CorpusError

FILE_NAMES = ("metadata.csv", "metadata.tsv", "metadata.txt", "metadata.psv", "transcripts.csv", "transcript.txt")
SUFFIXES = (".csv", ".tsv", ".psv", ".txt", ".list")
_SAMPLE_LINES = 2000
# Lines after the first that show whether it is a heading.
_FOLLOWING_ROWS = 20
_SHOWN, _MOST_COLUMNS = 40, 8


def find(path: Path) -> Path | None:
    """The metadata file itself, or the one in a folder."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    return next((path / name for name in FILE_NAMES if (path / name).is_file()), None)


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a metadata file; CorpusError where its columns can't be told."""
    sample = [line.strip() for _, line in islice(numbered_lines(path), _SAMPLE_LINES) if line.strip()]
    sample = [line for line in sample if not line_fault(line)]
    delimiter = find_delimiter(sample)
    if delimiter is None:
        raise CorpusError(
            "has no columns",
            file=path,
            expected="lines like `id|text`",
            got=repr(sample[0][:60]) if sample else "an empty file",
            remedy="Write one line a recording: its file name, `|`, what is said.",
        )
    first = split_line(sample[0], delimiter)
    known = header_columns([cell.strip('"') for cell in first])
    heading = known is not None or _is_heading(first, sample[1:], delimiter, path.parent)
    if columns is None and heading and known is None:
        raise _untold("the first line names no recording, and looks like headings that are not known", path, first)
    quoted = quotes_all(sample[heading:])
    if columns is None:
        columns = known or _guessed(sample, delimiter, quoted)
    style = Style(delimiter, len(_checked(columns, path, sample, delimiter)), quoted)
    return Source(_rows(path, style, columns or (), heading), path.parent)


def _guessed(sample: list[str], delimiter: str, quoted: bool) -> tuple[str, ...] | None:
    """Columns by the rows that a sample has."""
    widths = Counter(width for line in sample if (width := len(split_line(line, delimiter))) > 1)
    style = Style(delimiter, widths.most_common(1)[0][0], quoted)
    rows = (
        (cells_of(enumerate(sample), style))
        if quoted or not _has_surplus(widths, delimiter)
        else (Cells(number, line, tuple(split_line(line, delimiter))) for number, line in enumerate(sample))
    )
    return guess_columns([row.cells for row in rows if not row.fault], delimiter)


def _has_surplus(widths: Counter[int], delimiter: str) -> bool:
    """Whether separators are part of texts, so that lines have to be looked at as they are."""
    return delimiter != "|" and len(widths) > 1


def _is_heading(first: list[str], others: list[str], delimiter: str, folder: Path) -> bool:
    """Whether a first line names columns in words that are not known: it names no recording, where the next lines do."""
    if not looks_like_heading(first) or not others:
        return False
    recordings = Recordings(folder.absolute())
    if any(_is_there(recordings, cell) for cell in first):
        return False
    rows = [split_line(line, delimiter) for line in others[:_FOLLOWING_ROWS]]
    there = sum(any(_is_there(recordings, cell) for cell in row) for row in rows)
    return 2 * there > len(rows) or not there if knows_heading(first) else len(rows) > 1 and there == len(rows)


def _is_there(recordings: Recordings, name: str) -> bool:
    try:
        return bool(name) and recordings.find(name.strip('"')) is not None
    except UnsafePath:
        return False


def _checked(columns: tuple[str, ...] | None, path: Path, sample: list[str], delimiter: str) -> tuple[str, ...]:
    if columns and "id" in columns and {"text", "normalised"} & set(columns) and set(columns) <= set(NAMES):
        return columns
    if columns is None:
        raise _untold("it can't be told which column is what is said", path, split_line(sample[0], delimiter))
    raise CorpusError(
        "these can't be the columns",
        file=path,
        field="columns",
        expected=f"id, text and any of {', '.join(NAMES)}",
        got=",".join(columns),
        remedy="Name them, as in `--columns id,speaker,text`.",
    )


def _untold(problem: str, path: Path, cells: Sequence[str]) -> CorpusError:
    shown = " | ".join(cell[:_SHOWN] for cell in cells[:_MOST_COLUMNS])
    example = ("id", "text", "speaker", *("skip" for _ in cells))[: max(2, min(len(cells), _MOST_COLUMNS))]
    return CorpusError(
        problem,
        file=path,
        field="columns",
        expected="id, text and perhaps speaker",
        got=shown,
        remedy=f"Name the columns in their order, as in `--columns {','.join(example)}` (any of {', '.join(NAMES)}).",
    )


def _rows(path: Path, style: Style, columns: tuple[str, ...], heading: bool) -> Iterator[Row | Finding]:
    delimiter = style.delimiter
    if delimiter != "|":
        shown = "tabs" if delimiter == "\t" else f"`{delimiter}`"
        yield Finding(
            "*", "delimiter", f"columns are separated by {shown}, not `|`", "Nothing is needed if the texts look right."
        )
    lines = numbered_lines(path)
    if heading:
        next((line for _, line in lines if line.strip()), None)
    for row in cells_of(lines, style):
        fault = row.fault
        if not fault and not _fits(row.cells, columns):
            fault = f"expected {len(columns)} columns ({delimiter.join(columns)}), got {len(row.cells)}"
        if not fault and not row.cells[columns.index("id")]:
            fault = "no name of a recording"
        if fault:
            clip = row.line.split(delimiter)[0].strip()[:80].replace("\ufffd", "?")
            yield Finding(clip, "malformed row", fault, f"Correct line {row.number} of {path.name}.", row.number)
        else:
            yield _row(dict(zip(columns, row.cells, strict=False)), row.number)


def _fits(cells: Sequence[str], columns: tuple[str, ...]) -> bool:
    return len(cells) == len(columns) or (columns[-1] == "normalised" and len(cells) == len(columns) - 1)


def _row(cells: dict[str, str], number: int) -> Row:
    text = cells.get("normalised") or cells.get("text") or ""
    return Row(cells["id"], cells["id"], text, cells.get("speaker") or None, cells.get("language") or None, number)


IMPORTER = Importer("metadata", find, read)
