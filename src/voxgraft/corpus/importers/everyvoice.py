"""EveryVoice's filelists (.psv) and preprocessed folders: `basename|language|speaker|characters|…`, `\\` before what is meant
as it stands. Speakers, languages and the split into training and validation are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers import metadata
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.lines import line_fault, numbered_lines
from voxgraft.corpus.manifest import TRAINING, VALIDATION
from voxgraft.errors import CorpusError

SUFFIX = ".psv"
SEPARATOR = "--"
# What EveryVoice calls a speaker or language that nobody named.
UNNAMED = "default"
WHOLE_LIST = "filelist.psv"
# The lists of a preprocessed folder, and the part that each is.
LISTS: Mapping[str, str] = {f"training_{WHOLE_LIST}": TRAINING, f"validation_{WHOLE_LIST}": VALIDATION}
PREPROCESSED = "preprocessed"
_TEXTS = ("characters", "phones", "arpabet")
_LARGEST_HEADING = 1 << 16
Cells = tuple[int, dict[str, str] | str]


def find(path: Path) -> Path | None:
    """A filelist; a preprocessed folder, or the one of a project; or the only filelist in a folder."""
    if path.is_file():
        return path if _heading(path) else None
    for folder in (path, path / PREPROCESSED):
        if any((folder / name).is_file() for name in (WHOLE_LIST, *LISTS)):
            return folder
    lists = [file for file in sorted(path.glob(f"*{SUFFIX}")) if file.is_file() and _heading(file)]
    if len(lists) > 1:
        raise CorpusError(
            f"holds {len(lists)} filelists: {', '.join(file.name for file in lists[:6])}",
            file=path,
            remedy=f"Name one, or several with commas between them: {lists[0]},{lists[1]}.",
        )
    return lists[0] if lists else None


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a filelist, or of the lists of a preprocessed folder. Columns that are named by hand go first."""
    if path.is_file() and columns is not None:
        return metadata.read(path, columns)
    folder = path if path.is_dir() else path.parent
    return Source(_rows(folder, _parts(path)), folder)


def split_cells(line: str) -> list[str]:
    """The cells of a line; a backslash takes what follows as it stands."""
    cells, cell = [], ""
    characters = iter(line)
    for character in characters:
        if character == "\\":
            cell += next(characters, "")
        elif character == "|":
            cells.append(cell)
            cell = ""
        else:
            cell += character
    return [*cells, cell]


def _parts(path: Path) -> dict[Path, str | None]:
    """The lists to read, each with the part of the corpus that it is."""
    if path.is_file():
        return {path: LISTS.get(path.name)}
    lists: dict[Path, str | None] = {path / name: part for name, part in LISTS.items() if (path / name).is_file()}
    return lists if len(lists) == len(LISTS) else {path / WHOLE_LIST: None} if (path / WHOLE_LIST).is_file() else lists


def _heading(path: Path) -> list[str] | None:
    """The headings of a filelist, None where it is none."""
    if path.suffix.lower() != SUFFIX:
        return None
    line = next((line for _, line in numbered_lines(path)), "")
    headings = [cell.strip().lower() for cell in split_cells(line[:_LARGEST_HEADING])]
    return headings if "basename" in headings and any(text in headings for text in _TEXTS) else None


def _rows(folder: Path, parts: Mapping[Path, str | None]) -> Iterator[Row | Finding]:
    tables = [(path, part, list(_cells(path))) for path, part in parts.items()]
    names = Counter(cells["basename"] for _, _, rows in tables for _, cells in rows if isinstance(cells, dict))
    prepared = _prepared(folder)
    # Beside others it is a name like theirs, by which EveryVoice's models know it.
    named = {
        column: any(
            cells.get(column, "") not in ("", UNNAMED)
            for _, _, rows in tables
            for _, cells in rows
            if isinstance(cells, dict)
        )
        for column in ("speaker", "language")
    }
    for path, part, rows in tables:
        for number, cells in rows:
            if isinstance(cells, str):
                yield Finding(path.stem, "malformed row", cells, f"Correct line {number} of {path.name}.", number)
            else:
                yield _row(cells, part, number, prepared, named, several=names[cells["basename"]] > 1)


def _row(
    cells: Mapping[str, str],
    part: str | None,
    number: int,
    prepared: Mapping[str, str],
    named: Mapping[str, bool],
    *,
    several: bool,
) -> Row:
    name = cells["basename"]
    speaker, language = (cells.get(column) or UNNAMED for column in ("speaker", "language"))
    whole = SEPARATOR.join((name, speaker, language))
    return Row(
        whole if several else name,
        prepared.get(whole, name),
        next((cells[column] for column in _TEXTS if cells.get(column)), ""),
        speaker if named["speaker"] else None,
        language if named["language"] else None,
        number,
        part=part,
    )


def _cells(path: Path) -> Iterator[Cells]:
    """The rows of a filelist by their headings; in words, where one can't be read."""
    lines = numbered_lines(path)
    _, heading = next(lines, (0, ""))
    headings = [cell.strip().lower() for cell in split_cells(heading)]
    if "basename" not in headings:
        raise CorpusError(
            "has no column for the recordings' names",
            file=path,
            field="line 1",
            expected="basename|language|speaker|characters",
            got=repr(heading[:60]),
            remedy="Make the preprocessed folder again, or name the filelist that it was made from.",
        )
    for number, line in lines:
        if not line.strip():
            continue
        found = [cell.strip() for cell in split_cells(line)]
        fault = line_fault(line)
        if not fault and len(found) != len(headings):
            fault = f"expected {len(headings)} columns ({'|'.join(headings[:8])}), got {len(found)}"
        cells = dict(zip(headings, found, strict=False))
        if not fault and not cells["basename"]:
            fault = "no name of a recording"
        yield number, fault or cells


def _prepared(folder: Path) -> dict[str, str]:
    """`BASENAME--SPEAKER--LANGUAGE` -> the file in audio/ that was made of it, of the highest rate."""
    files = (folder / "audio").glob("*--audio-*.wav")
    rated = sorted(
        (int(rate), file.name, whole) for file in files for whole, rate in [_parted(file)] if rate.isdecimal()
    )
    return {whole: name for _, name, whole in rated}


def _parted(file: Path) -> tuple[str, str]:
    whole, _, rate = file.stem.rpartition(f"{SEPARATOR}audio-")
    return whole, rate


IMPORTER = Importer("everyvoice", find, read)
