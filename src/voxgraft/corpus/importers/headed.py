"""Tables whose headings tell what they are: Coqui STT's CSV, Common Voice's TSV, metadata.csv of Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers import metadata
from voxgraft.corpus.importers.cells import Cells, Style, cells_of
from voxgraft.corpus.importers.columns import DELIMITERS
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.importers.jsonl import FILE_NAME as MANIFEST
from voxgraft.corpus.lines import LONGEST_LINE, line_fault, numbered_lines
from voxgraft.errors import CorpusError

SUFFIXES = (".csv", ".tsv", ".txt", ".psv")
_LARGEST_HEADING = 1 << 16


@dataclass(frozen=True)
class Layout:
    """Headings of one kind of table, lower case; where several can hold a thing, the first that is there.

    `quoted`: cells follow RFC 4180. Otherwise quotes are part of the text, but around a whole cell. `files`: the tables
    that a folder is read from, the first that is there; without any, the only table of this kind in it.
    """

    name: str
    audio: str
    text: tuple[str, ...]
    speaker: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    size: str | None = None
    quoted: bool = True
    files: tuple[str, ...] = ()

    def known(self, headings: list[str]) -> bool:
        """Whether a table with these headings is of this kind."""
        return self.audio in headings and any(name in headings for name in self.text)


COQUI_STT = Layout(
    "coqui-stt", "wav_filename", ("transcript",), ("speaker", "client_id"), ("language", "locale"), "wav_filesize"
)
COMMON_VOICE = Layout(
    "common-voice",
    "path",
    ("sentence",),
    ("client_id",),
    ("locale",),
    quoted=False,
    files=("validated.tsv", "train.tsv"),
)
AUDIO_FOLDER = Layout(
    "hugging-face",
    "file_name",
    ("transcription", "transcript", "sentence", "text", "normalized_text", "raw_text"),
    ("speaker_id", "speaker", "client_id"),
    ("language", "locale", "lang"),
    files=("metadata.csv",),
)
LAYOUTS = (COQUI_STT, COMMON_VOICE, AUDIO_FOLDER)


def find(layout: Layout, path: Path) -> Path | None:
    """The table itself, or the one in a folder; CorpusError where a folder holds several and none is named."""
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES and _heading(layout, path) else None
    if layout.files:
        named = (path / name for name in layout.files)
        return next((file for file in named if file.is_file() and _heading(layout, file)), None)
    if any((path / name).is_file() for name in (*metadata.FILE_NAMES, MANIFEST)):
        return None
    tables = [file for file in sorted(path.glob("*.csv")) if file.is_file() and _heading(layout, file)]
    if len(tables) > 1:
        raise CorpusError(
            f"holds {len(tables)} tables: {', '.join(file.name for file in tables[:6])}",
            file=path,
            remedy=f"Name one, or several with commas between them: {tables[0]},{tables[1]}.",
        )
    return tables[0] if tables else None


def read(layout: Layout, path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a table. Columns that are named by hand go before what the headings say."""
    if columns is not None:
        return metadata.read(path, columns)
    found = _heading(layout, path)
    assert found is not None, "find said so"
    return Source(_rows(layout, path, *found), path.parent)


def _heading(layout: Layout, path: Path) -> tuple[str, list[str]] | None:
    """Delimiter and headings, lower case; None where the first line has others."""
    for _, line in numbered_lines(path):
        if len(line) > _LARGEST_HEADING:
            return None
        for delimiter in DELIMITERS:
            headings = [cell.strip().strip('"').strip().lower() for cell in line.split(delimiter)]
            if layout.known(headings):
                return delimiter, headings
        return None
    return None


def _rows(layout: Layout, path: Path, delimiter: str, headings: list[str]) -> Iterator[Row | Finding]:
    lines = numbered_lines(path)
    next(lines, None)
    style = Style(delimiter, len(headings), strict=True)
    for row in cells_of(lines, style) if layout.quoted else _plain_cells(lines, delimiter):
        fault = row.fault
        if not fault and len(row.cells) != len(headings):
            fault = f"expected {len(headings)} columns ({delimiter.join(headings[:8])}), got {len(row.cells)}"
        if not fault and not row.cells[headings.index(layout.audio)]:
            fault = "the name of the recording is missing"
        if fault:
            clip = row.line[:LONGEST_LINE].split(delimiter)[0].strip()[:80].replace("\ufffd", "?").replace("\0", "?")
            yield Finding(clip, "malformed row", fault, f"Correct line {row.number} of {path.name}.", row.number)
        else:
            yield _row(layout, dict(zip(headings, row.cells, strict=True)), row.number)


def _plain_cells(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[Cells]:
    for number, line in lines:
        if fault := line_fault(line):
            yield Cells(number, line, fault=fault)
        elif line.strip():
            yield Cells(number, line, tuple(_unquoted(cell.strip()) for cell in line.split(delimiter)))


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")
    return cell[1:-1].replace('""', '"').strip() if quoted else cell


def _row(layout: Layout, cells: dict[str, str], number: int) -> Row:
    audio = cells[layout.audio]
    text, speaker, language = (
        next((cells[name] for name in names if cells.get(name)), None)
        for names in (layout.text, layout.speaker, layout.language)
    )
    size = cells.get(layout.size) if layout.size is not None else None
    return Row(audio, audio, text or "", speaker, language, number, size)


def _importer(layout: Layout) -> Importer:
    finder: Callable[[Path], Path | None] = partial(find, layout)
    return Importer(layout.name, finder, partial(read, layout))


IMPORTERS = tuple(_importer(layout) for layout in LAYOUTS)
