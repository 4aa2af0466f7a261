"""Utterance and Manifest: one JSON line per recording with its transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically


@dataclass(frozen=True)
class Utterance:
    """One recording: `audio` is the file as the user has it, never changed; `duration` is in seconds.

    `table` and `line`, from 1, are where it was read from; no manifest holds them.
    """

    id: str
    audio: str
    text: str
    duration: float
    sample_rate: int
    channels: int = 1
    speaker: str | None = None
    language: str | None = None
    sha256: str | None = None
    table: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    @property
    def named(self) -> str:
        """Its id, and where it was read from: `clip7 (train.csv line 8)`."""
        return f"{self.id} ({Path(self.table).name} line {self.line})" if self.table and self.line else self.id


@dataclass(frozen=True)
class Manifest:
    """The utterances of a corpus, in a fixed order."""

    utterances: tuple[Utterance, ...]

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def seconds(self) -> float:
        """Length of all recordings together."""
        return sum(u.duration for u in self.utterances)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speaker names in order of first appearance; empty for a corpus without names."""
        return tuple(dict.fromkeys(u.speaker for u in self.utterances if u.speaker is not None))

    def write(self, path: Path) -> None:
        """Write as JSON lines: temporary file, fsync, rename."""
        write_atomically(path, "".join(json.dumps(_record(u), ensure_ascii=False) + "\n" for u in self.utterances))

    @staticmethod
    def read(path: Path) -> Manifest:
        """Read JSON lines; a bad line is named by its number."""
        if not path.is_file():
            raise CorpusError("no such manifest", file=path, remedy="run `voxgraft corpus import` first")
        rows = []
        for number, line in enumerate(path.read_text("utf-8", errors="replace").split("\n"), 1):
            if line.strip():
                rows.append(_utterance(line, path, number))
        return Manifest(tuple(rows))


_TEXT, _PERHAPS_TEXT, _NUMBER = (str,), (str, type(None)), (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "id": _TEXT,
    "audio": _TEXT,
    "text": _TEXT,
    "duration": _NUMBER,
    "sample_rate": (int,),
    "channels": (int,),
    "speaker": _PERHAPS_TEXT,
    "language": _PERHAPS_TEXT,
    "sha256": _PERHAPS_TEXT,
}


_STORED = tuple(f.name for f in fields(Utterance) if f.compare)


def _record(utterance: Utterance) -> dict[str, Any]:
    return {name: value for name, value in asdict(utterance).items() if name in _STORED}


def _utterance(line: str, path: Path, number: int) -> Utterance:
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or set(record) - set(_STORED):
            raise ValueError(f"expected an object with the fields {', '.join(sorted(_STORED))}")
        for name, value in record.items():
            if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
                raise ValueError(f"{name} is {value!r:.40}")
        return Utterance(**record, table=str(path), line=number)
    except (ValueError, TypeError) as fault:
        raise CorpusError(
            f"not an utterance: {fault}", file=path, field=f"line {number}", remedy="import the corpus again"
        ) from fault
