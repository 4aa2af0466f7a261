"""Lines: the texts that are to be synthesised, of a filelist of EveryVoice's, a table, a manifest or a plain text file."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers import everyvoice
from voxgraft.corpus.lines import numbered_lines
from voxgraft.errors import CorpusError

_LONGEST_NAME = 40
_TABLES = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Line:
    """One text: `name` is what its files are called; speaker and language where it says them."""

    name: str
    text: str
    speaker: str | None = None
    language: str | None = None


def lines_of_texts(texts: Iterable[str]) -> list[Line]:
    """A line for each text, named after its beginning."""
    return _unique([Line(_named(text), text) for text in texts])


def read_lines(path: Path) -> list[Line]:
    """Of a `.psv` as EveryVoice has it, a `.csv` or `.tsv` with a column `text`, a `.jsonl`, or text, a line each.

    Raises CorpusError naming file and line.
    """
    if not path.is_file():
        raise CorpusError("there is no such filelist", file=path, remedy="Check the path that --filelist gives.")
    found = list(_read(path))
    empty = next((number for number, line in enumerate(found, 1) if not line.text.strip()), None)
    if empty is not None or not found:
        raise CorpusError(
            "a line without a text" if found else "the filelist holds no line",
            file=path,
            field=None if empty is None else f"entry {empty}",
            remedy="Give each line a text.",
        )
    return _unique(found)


def _read(path: Path) -> Iterator[Line]:
    suffix = path.suffix.lower()
    if everyvoice.find(path) is not None:
        for row in everyvoice.read(path, None).rows:
            if isinstance(row, Finding):
                raise CorpusError(row.detail, file=path, field=f"line {row.line}", remedy=row.remedy)
            yield Line(row.id, row.text, row.speaker, row.language)
    elif suffix == ".jsonl":
        yield from _jsonl(path)
    elif suffix in _TABLES:
        yield from _table(path, _TABLES[suffix])
    else:
        yield from (Line(_named(text), text.strip()) for _, text in numbered_lines(path) if text.strip())


def _jsonl(path: Path) -> Iterator[Line]:
    for number, text in numbered_lines(path):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
            said = record["text"]
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise _malformed(path, number, "an object with `text`", type(fault).__name__) from fault
        yield _line({str(name): value for name, value in record.items()}, said, path, number)


def _table(path: Path, separator: str) -> Iterator[Line]:
    lines = numbered_lines(path)
    rows = csv.reader((text for _, text in lines), delimiter=separator)
    heading = [cell.strip().lower() for cell in next(rows, [])]
    if "text" not in heading:
        raise _malformed(path, 1, "headings, among them `text`", ", ".join(heading)[:60] or "nothing")
    for number, row in enumerate(rows, 2):
        if row:
            cells = dict(zip(heading, row, strict=False))
            yield _line(dict(cells), cells.get("text", ""), path, number)


def _line(record: dict[str, object], text: object, path: Path, number: int) -> Line:
    if not isinstance(text, str):
        raise _malformed(path, number, "`text` in letters", type(text).__name__)
    named = {name: str(record[name]) for name in ("id", "speaker", "language") if record.get(name)}
    return Line(named.get("id") or _named(text), text, named.get("speaker"), named.get("language"))


def _malformed(path: Path, number: int, expected: str, got: str) -> CorpusError:
    return CorpusError(
        "can't be read", file=path, field=f"line {number}", expected=expected, got=got, remedy="Mend the line."
    )


def _named(text: str) -> str:
    """The beginning of a text in letters that every file system takes."""
    plain = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[^\w]+", "-", plain).strip("-_")[:_LONGEST_NAME].strip("-_") or "text"


def _unique(lines: list[Line]) -> list[Line]:
    """The same with a number behind names that occur again."""
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        # A name becomes a file's: nothing of it may lead elsewhere.
        name = re.sub(r"[/\\\0]+", "-", line.name).strip(". ") or "text"
        seen[name] = seen.get(name, 0) + 1
        found.append(Line(name if seen[name] == 1 else f"{name}-{seen[name]}", line.text, line.speaker, line.language))
    return found
