"""Rows of a table: lines cut into cells, quoted ones among them, which may go on in the next lines."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from voxgraft.corpus.lines import line_fault

# A cell with more lines is rather one whose quote was never closed.
_MOST_LINES = 40
# Every row of a table, where most of its cells go on in a second line.
_LEAST_QUOTED = 0.4
_UNCLOSED = "a quote is opened and not closed"
Lines = Iterable[tuple[int, str]]


@dataclass(frozen=True)
class Cells:
    """The cells of the row that begins in line `number`; `fault` says why it has none, in words."""

    number: int
    line: str
    cells: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True)
class Style:
    """How a table is written: `width` columns; `quoted`, all of its names and texts; `strict`, a cell that begins with a quote
    ends with one. Otherwise a quote may be part of the text, as in LJSpeech."""

    delimiter: str
    width: int
    quoted: bool = False
    strict: bool = False


def quotes_all(lines: Sequence[str]) -> bool:
    """Whether a table quotes the first cell of its rows; some lines may go on with the row before."""
    return bool(lines) and lines[0].startswith('"') and _share_quoted(lines) >= _LEAST_QUOTED


def cells_of(lines: Lines, style: Style) -> Iterator[Cells]:
    """Every row that is not blank, in order."""
    waiting: deque[tuple[int, str]] = deque()
    source = iter(lines)
    while True:
        if not waiting:
            waiting.extend(item for item in [next(source, None)] if item is not None)
        if not waiting:
            return
        number, line = waiting.popleft()
        fault = line_fault(line)
        if fault:
            yield Cells(number, line, fault=fault)
        elif line.strip():
            yield _row(number, line, style, waiting, source)


def split_line(line: str, delimiter: str, count: int | None = None) -> list[str]:
    """Cells of one line. `|` is never quoted (LJSpeech has stray quotes), but where a cell is that doubles those inside it;
    surplus commas belong to the last cell."""
    if delimiter == "|":
        return [_undoubled(cell.strip()) for cell in line.split("|")]
    if '"' in line:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    cells = line.split(delimiter)
    if count is not None and len(cells) > count:
        cells = line.split(delimiter, count - 1)
    return [cell.strip() for cell in cells]


def _row(
    number: int, line: str, style: Style, waiting: deque[tuple[int, str]], source: Iterator[tuple[int, str]]
) -> Cells:
    if '"' not in line and style.strict:
        return Cells(number, line, tuple(split_line(line, style.delimiter)))
    if '"' not in line:
        return Cells(number, line, tuple(split_line(line.strip(), style.delimiter, style.width)))
    cells, fault = _parsed(line, style.delimiter)
    if fault == _UNCLOSED:
        joined = _joined(line, style, waiting, source)
        if joined is not None:
            return Cells(number, line, joined)
        follower = _ahead(0, waiting, source)
        is_row = follower is None or len(split_line(follower[1], style.delimiter)) >= style.width
        if style.strict or style.quoted or not is_row:
            return Cells(number, line, fault=fault)
    if style.strict or style.quoted:
        return Cells(number, line, cells, fault)
    return Cells(number, line, tuple(split_line(line.strip(), style.delimiter, style.width)))


def _joined(
    line: str, style: Style, waiting: deque[tuple[int, str]], source: Iterator[tuple[int, str]]
) -> tuple[str, ...] | None:
    """The cells of a row that goes on in the next lines, which are taken; None where it doesn't."""
    text = line
    for count in range(_MOST_LINES):
        follower = _ahead(count, waiting, source)
        if follower is None or line_fault(follower[1]):
            return None
        if not style.quoted and _looks_like_a_row(follower[1], style):
            return None
        text += "\n" + follower[1]
        if '"' not in follower[1]:
            continue
        cells, fault = _parsed(text, style.delimiter)
        if fault is None and len(cells) == style.width:
            for _ in range(count + 1):
                waiting.popleft()
            return cells
        if fault != _UNCLOSED:
            return None
    return None


def _looks_like_a_row(line: str, style: Style) -> bool:
    cells = line.split(style.delimiter)
    return len(cells) >= style.width and not any(c.isspace() for c in cells[0].strip())


def _ahead(place: int, waiting: deque[tuple[int, str]], source: Iterator[tuple[int, str]]) -> tuple[int, str] | None:
    while len(waiting) <= place:
        item = next(source, None)
        if item is None:
            return None
        waiting.append(item)
    return waiting[place]


def _parsed(text: str, delimiter: str) -> tuple[tuple[str, ...], str | None]:
    """The cells of a row by RFC 4180, white space as single spaces; and why it has none."""
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as wrong:
        return (), _UNCLOSED if "end of data" in str(wrong) else str(wrong)
    return (tuple(" ".join(cell.split()) for cell in rows[0]), None) if len(rows) == 1 else ((), "holds several rows")


def _share_quoted(lines: Sequence[str]) -> float:
    return sum(line.startswith('"') for line in lines) / len(lines)


def _undoubled(cell: str) -> str:
    inner = cell[1:-1]
    doubled = len(cell) > 3 and cell[0] == cell[-1] == '"' and '""' in inner and '"' not in inner.replace('""', "")
    return inner.replace('""', '"').strip() if doubled else cell
