"""A folder of recordings with a .txt file of the same name beside each; sub-folders are speakers where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from voxgraft.audio.kinds import SOUND
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.encoding import WESTERN, encoding_of, marked_encoding
from voxgraft.corpus.importers.importer import WESTERN_FINDING, Importer, Row, Source

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
    encoding = encoding_of(_all_lines(path))
    if encoding == WESTERN:
        yield WESTERN_FINDING
    for name in _recordings(path):
        stem = os.path.splitext(name)[0].replace(os.sep, "/")
        text = (path / name).with_suffix(".txt")
        remedy = f"Write what is said into {text.name}, as UTF-8."
        if not text.is_file():
            yield Finding(stem, "empty text", f"no {text.name} beside the recording", remedy)
        elif not text.resolve().is_relative_to(path.resolve()):
            yield Finding(
                stem, "unsafe path", f"{text.name} is a link out of the folder", "Copy the file itself into the folder."
            )
        elif text.stat().st_size > LARGEST_TEXT:
            yield Finding(stem, "malformed row", f"{text.name} is over {LARGEST_TEXT} bytes", remedy)
        else:
            yield _row(name, stem, text.read_bytes(), encoding, remedy)


def _row(name: str, stem: str, content: bytes, encoding: str | None, remedy: str) -> Row | Finding:
    try:
        text = content.decode(marked_encoding(content) or encoding or "utf-8")
    except UnicodeDecodeError:
        return Finding(stem, "malformed row", "the text is not valid UTF-8", remedy)
    speaker = stem.split("/")[0] if "/" in stem else None
    return Row(stem, name, " ".join(text.split()), speaker)


def _all_lines(path: Path) -> Iterator[bytes]:
    """What all texts hold, but those that tell their encoding themselves: one alone is too short to tell."""
    for name in _recordings(path):
        text = (path / name).with_suffix(".txt")
        if text.is_file() and text.stat().st_size <= LARGEST_TEXT:
            content = text.read_bytes()
            yield from () if marked_encoding(content) else content.split(b"\n")


def _recordings(path: Path) -> Iterator[str]:
    """Names of the recordings, relative to the folder, in order; one level of sub-folders."""
    for folder in [path, *sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))]:
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            if os.path.splitext(entry.name)[1].lower() in SOUND and not entry.name.startswith("."):
                yield os.path.relpath(entry.path, path)


IMPORTER = Importer("paired", find, read)
