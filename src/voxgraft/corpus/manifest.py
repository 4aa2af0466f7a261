"""Utterance and Manifest: one JSON line per recording with its transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from voxgraft.corpus.lines import LONGEST_LINE, numbered_lines
from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically
from voxgraft.json_file import json_fault

TRAINING, VALIDATION, TEST = PARTS = ("training", "validation", "test")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording: `audio` is the file as the user has it, never changed; `duration` is in seconds.

    `part` is `training`, `validation` or `test` where its maker says what it is for: `split` then keeps to it.
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
    part: str | None = None
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
        write_atomically(path, (_line(u) for u in self.utterances))

    @staticmethod
    def read(path: Path) -> Manifest:
        """Read JSON lines; a bad line is named by its number."""
        return Manifest(tuple(utterances_in(path)))


def utterances_in(path: Path) -> Iterator[Utterance]:
    """The utterances of a manifest one by one, in bounded memory; CorpusError names a bad line by its number."""
    if not path.exists():
        raise CorpusError("no such manifest", file=path, remedy="Run `voxgraft corpus import` first.")
    for number, line in numbered_lines(path, "utf-8"):
        if line.strip():
            yield _utterance(line, path, number)


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
    "part": _PERHAPS_TEXT,
}


_NAMES = ("id", "speaker")
_STORED = tuple(f.name for f in fields(Utterance) if f.compare)


def _line(utterance: Utterance) -> bytes:
    record = _record(utterance)
    try:
        return f"{json.dumps(record, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:  # the name of a file that is not UTF-8
        return f"{json.dumps(record)}\n".encode("ascii")


def _record(utterance: Utterance) -> dict[str, Any]:
    record = {name: value for name, value in asdict(utterance).items() if name in _STORED}
    if record["part"] is None:
        # So that what does not say it stays as it always was.
        del record["part"]
    return record


def _utterance(line: str, path: Path, number: int) -> Utterance:
    try:
        if len(line) >= LONGEST_LINE:
            raise ValueError(f"the line is over {LONGEST_LINE} characters long")
        record = json.loads(line)
        if not isinstance(record, dict) or set(record) - set(_STORED):
            raise ValueError(f"expected an object with the fields {', '.join(sorted(_STORED))}")
        record |= {name: as_text(record[name]) for name in _NAMES if name in record}
        for name, value in record.items():
            if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
                raise ValueError(f"{name} is {_short(value)}")
        if record.get("part") not in (None, *PARTS):
            raise ValueError(f"part is {_short(record['part'])}, none of {', '.join(PARTS)}")
        return Utterance(**record, table=str(path), line=number)
    except (ValueError, TypeError, RecursionError) as fault:
        raise CorpusError(
            f"not an utterance: {json_fault(fault)}",
            file=path,
            field=f"line {number}",
            remedy="Import the corpus again with `voxgraft corpus import`.",
        ) from fault


def as_text(value: Any) -> Any:
    """A value as it is, but numbers as names, which other programs write without quotes; no number at all (NaN) is no name."""
    if isinstance(value, float):
        value = None if value != value else int(value) if value.is_integer() else value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _short(value: Any) -> str:
    """A value for an error's words; what holds others is only named, for it may hold very many."""
    return repr(value)[:40] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
