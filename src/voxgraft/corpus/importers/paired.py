"""A folder of recordings with a .txt file of the same name beside each; sub-folders are speakers where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.importers.recordings import SUFFIXES

LARGEST_TEXT = 1 << 16


def find(path: Path) -> Path | None:
    """The folder, where any recording in it or one level below has its text beside it."""
    if not path.is_dir():
        return None
    return path if any((path / name).with_suffix(".txt").is_file() for name in _recordings(path)) else None


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """A row for each recording."""
    return Source(_rows(path), path)


def _rows(path: Path) -> Iterator[Row | Finding]:
    for name in _recordings(path):
        stem = os.path.splitext(name)[0].replace(os.sep, "/")
        text = (path / name).with_suffix(".txt")
        remedy = f"write what is said into {text.name}, as UTF-8"
        if not text.is_file():
            yield Finding(stem, "empty text", f"no {text.name} beside the recording", remedy)
        elif not text.resolve().is_relative_to(path.resolve()):
            yield Finding(stem, "unsafe path", f"{text.name} is a link out of the folder", "copy the file itself")
        elif text.stat().st_size > LARGEST_TEXT:
            yield Finding(stem, "malformed row", f"{text.name} is over {LARGEST_TEXT} bytes", remedy)
        else:
            yield _row(name, stem, text.read_bytes(), remedy)


def _row(name: str, stem: str, content: bytes, remedy: str) -> Row | Finding:
    try:
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return Finding(stem, "malformed row", "the text is not valid UTF-8", remedy)
    speaker = stem.split("/")[0] if "/" in stem else None
    return Row(stem, name, " ".join(text.split()), speaker)


def _recordings(path: Path) -> Iterator[str]:
    """Names of the recordings, relative to the folder, in order; one level of sub-folders."""
    for folder in [path, *sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))]:
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            if os.path.splitext(entry.name)[1].lower() in SUFFIXES and not entry.name.startswith("."):
                yield os.path.relpath(entry.path, path)


IMPORTER = Importer("paired", find, read)
