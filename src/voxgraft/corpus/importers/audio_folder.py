"""Folders of Hugging Face datasets: metadata.jsonl beside recordings; and those that have to be written out first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers.headed import AUDIO_FOLDER
from voxgraft.corpus.importers.headed import find as find_table
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.lines import line_fault, numbered_lines
from voxgraft.corpus.manifest import as_text
from voxgraft.errors import CorpusError
from voxgraft.json_file import json_fault

FILE_NAME = "metadata.jsonl"
# Files that only `datasets` itself writes beside a table of its own.
_SAVED = ("dataset_dict.json", "state.json", "dataset_info.json")
_TABLES = (".arrow", ".parquet")
_MOST_SPLITS = 20


def find(path: Path) -> Path | None:
    """A metadata.jsonl with `file_name` in its first line, or the one in a folder."""
    file = path if path.is_file() else path / FILE_NAME
    if not file.is_file() or file.suffix.lower() != ".jsonl":
        return None
    return file if any(isinstance(row, dict) and AUDIO_FOLDER.audio in row for row in _first(file)) else None


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """A row for each line."""
    return Source(_rows(path), path.parent)


def find_unreadable(path: Path) -> Path | None:
    """What looks like a dataset of Hugging Face, but has no recordings that can be read: see `refuse`."""
    if path.is_file():
        return path if path.suffix.lower() in _TABLES else None
    return path if _tables(path) or _splits(path) else None


def refuse(path: Path, columns: tuple[str, ...] | None) -> Source:
    """CorpusError: what to do with a dataset that was saved as tables, or that has several parts."""
    splits = [] if path.is_file() or _tables(path) else _splits(path)
    if splits:
        raise CorpusError(
            f"holds several parts of a dataset: {', '.join(str(s.relative_to(path)) for s in splits)}",
            file=path,
            remedy=f"Name one, as in {splits[0]}, or several with commas between them.",
        )
    raise CorpusError(
        "is a dataset that Hugging Face's `datasets` saved as tables, with the recordings inside",
        file=path,
        expected="recordings as files, with metadata.csv or metadata.jsonl beside them",
        remedy="Write it out as files once; docs/recognisers.md has the lines of Python for it.",
    )


def _tables(path: Path) -> bool:
    """Whether a folder was written by `save_to_disk`, or holds nothing but its tables."""
    if any((path / name).is_file() for name in _SAVED[:1]):
        return True
    files = [file for folder in (path, path / "data") if folder.is_dir() for file in folder.iterdir()]
    return any(file.suffix.lower() in _TABLES for file in files)


def _splits(path: Path) -> list[Path]:
    """Folders one or two below that hold metadata with `file_name`, where the folder itself has none."""
    below = [folder for root in (path, path / "data") if root.is_dir() for folder in sorted(root.iterdir())]
    folders = [folder for folder in below if folder.is_dir() and not folder.name.startswith(".")]
    return [folder for folder in folders if find(folder) or find_table(AUDIO_FOLDER, folder)][:_MOST_SPLITS]


def _first(path: Path) -> Iterator[object]:
    for _, line in numbered_lines(path):
        if line.strip():
            parsed = _parsed(line)
            yield parsed if not isinstance(parsed, str) else None
            return


def _rows(path: Path) -> Iterator[Row | Finding]:
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        row = _parsed(line)
        if isinstance(row, str):
            yield Finding(line[:80], "malformed row", row, f"Correct line {number} of {path.name}.", number)
        else:
            yield _row(row, number, path)


def _parsed(line: str) -> dict[str, object] | str:
    """The object of a line, or why there is none."""
    fault = line_fault(line)
    if fault:
        return fault
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as wrong:
        return f"not JSON: {json_fault(wrong)}"
    return row if isinstance(row, dict) else "expected an object"


def _row(row: dict[str, object], number: int, path: Path) -> Row | Finding:
    name = row.get(AUDIO_FOLDER.audio)
    if not isinstance(name, str) or not name:
        where = f"Correct line {number} of {path.name}."
        return Finding(str(name)[:80], "malformed row", f"{AUDIO_FOLDER.audio} is {name!r:.60}", where, number)
    texts, speakers, languages = (
        [value for key in keys if isinstance(value := as_text(row.get(key)), str)]
        for keys in (AUDIO_FOLDER.text, AUDIO_FOLDER.speaker, AUDIO_FOLDER.language)
    )
    text = next(iter(texts), "")
    speaker = next(iter(speakers), None)
    return Row(name, name, " ".join(text.split()), speaker, next(iter(languages), None), number)


IMPORTER = Importer("hugging-face", find, read)
UNREADABLE = Importer("hugging-face", find_unreadable, refuse)
