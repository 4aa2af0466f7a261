"""Our own manifest.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.importers.importer import Importer, Row, Source
from voxgraft.corpus.manifest import utterances_in

FILE_NAME = "manifest.jsonl"


def find(path: Path) -> Path | None:
    """A manifest, or the one in a folder."""
    if path.is_file():
        return path if path.suffix.lower() == ".jsonl" else None
    return path / FILE_NAME if (path / FILE_NAME).is_file() else None


def read(path: Path, columns: tuple[str, ...] | None) -> Source:
    """Rows of a manifest. Its paths may lead anywhere, for that is how a corpus points at recordings it doesn't copy."""
    return Source(_rows(path), path.parent, trusted=True)


def _rows(path: Path) -> Iterator[Row | Finding]:
    for u in utterances_in(path):
        yield Row(u.id, u.audio, u.text, u.speaker, u.language, u.line, part=u.part)


IMPORTER = Importer("manifest", find, read)
