"""Importer: how one layout of recordings and transcripts is recognised and read row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxgraft.corpus.checks.finding import WHOLE, Finding

# What is told of a table in an older encoding.
WESTERN_FINDING = Finding(
    WHOLE,
    "encoding",
    "the texts are not UTF-8, and read as Windows-1252 (Latin-1)",
    "Check the letters with accents; if they are wrong, save the table as UTF-8.",
)


@dataclass(frozen=True)
class Row:
    """One transcript as it was found: `audio` is a name or path as written, `line` counts from 1.

    `size` is how many bytes the recording has, as written; `part` what of the corpus it belongs to, where its maker says so.
    """

    id: str
    audio: str
    text: str
    speaker: str | None = None
    language: str | None = None
    line: int | None = None
    size: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Source:
    """Rows and where their recordings are looked for; nothing outside `folder` is ever read, unless `trusted`."""

    rows: Iterator[Row | Finding]
    folder: Path
    trusted: bool = False


@dataclass(frozen=True)
class Importer:
    """`find` gives the file or folder that this layout starts from, or None; `read` takes it and the columns asked for."""

    name: str
    find: Callable[[Path], Path | None]
    read: Callable[[Path, tuple[str, ...] | None], Source]
