"""Every error a user can meet: which file, which field, what was expected, what was found, what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from os import PathLike

_MOST_ITEMS = 4
_DEEPEST = 2


def shown(value: object, most: int = 60) -> str:
    """A value of someone else's file in at most `most` characters, whatever it holds and however large it is."""
    text = _sketch(value, most, 0)
    return text if len(text) <= most else text[: most - 1] + "…"


def _sketch(value: object, most: int, depth: int) -> str:
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 200 else "a number of many digits"
    if isinstance(value, str | bytes):
        return repr(value[:most])
    if isinstance(value, dict):
        return _row("{", value.items(), "}", most, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _row("(", value, ")", most, depth) if isinstance(value, tuple) else _row("[", value, "]", most, depth)
    return f"<{type(value).__name__}>"


def _row(opening: str, items: Collection[object], closing: str, most: int, depth: int) -> str:
    if depth >= _DEEPEST:
        return f"{opening}…{closing}"
    first = [
        f"{_sketch(item[0], most, depth + 1)}: {_sketch(item[1], most, depth + 1)}"
        if opening == "{" and isinstance(item, tuple)
        else _sketch(item, most, depth + 1)
        for item in islice(items, _MOST_ITEMS)
    ]
    rest = ", …" if len(items) > _MOST_ITEMS else ""
    return opening + ", ".join(first) + rest + closing


class VoxgraftError(Exception):
    """A fault that the user can mend. The command line prints it as one `error:` line and the remedy."""

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        file: str | PathLike[str] | None = None,
        field: str | None = None,
        expected: object = None,
        got: object = None,
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.file = str(file) if file is not None else None
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(self.summary)

    def __reduce__(self) -> tuple[object, ...]:
        """So that a fault of another process arrives whole."""
        return _again, (type(self), vars(self))

    @property
    def summary(self) -> str:
        """One line: `file: field: problem (expected X, got Y)`."""
        where = "".join(f"{part}: " for part in (self.file, self.field) if part)
        facts = [
            f"{word} {value}" for word, value in (("expected", self.expected), ("got", self.got)) if value is not None
        ]
        detail = f" ({', '.join(facts)})" if facts else ""
        return " ".join(f"{where}{self.problem}{detail}".split())


def _again(kind: type[VoxgraftError], parts: dict[str, object]) -> VoxgraftError:
    fault = kind.__new__(kind)
    vars(fault).update(parts)
    Exception.__init__(fault, fault.summary)
    return fault


class AudioError(VoxgraftError):
    """Audio that can't be read or doesn't fit."""


class TextError(VoxgraftError):
    """Text that can't be normalised, phonemised or encoded."""


class ConfigError(VoxgraftError):
    """A setting that is misspelt, of the wrong type or out of range."""


class CheckpointError(VoxgraftError):
    """A checkpoint that is damaged, hostile, unknown or incomplete."""


@contextmanager
def naming_file(file: str | PathLike[str] | None = None, field: str | None = None) -> Iterator[None]:
    """Name the file, and the field, in CheckpointErrors from deep inside it that don't name one."""
    try:
        yield
    except CheckpointError as fault:
        named = fault.file or (str(file) if file is not None else None), fault.field or field
        if named == (fault.file, fault.field):
            raise
        raise CheckpointError(
            fault.problem,
            file=named[0],
            field=named[1],
            expected=fault.expected,
            got=fault.got,
            remedy=fault.remedy,
        ) from fault


class CorpusError(VoxgraftError):
    """Recordings or transcripts that can't be imported or trained on."""


class GraftError(VoxgraftError):
    """A base that doesn't fit the model that is wanted."""


class EvaluationError(VoxgraftError):
    """A measurement that can't be made."""


class ExportError(VoxgraftError):
    """A voice that can't be written or doesn't equal its source."""


class TrainingError(VoxgraftError):
    """A run that can't start, go on or be saved."""


class MissingExtra(VoxgraftError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            remedy=f"Install it: `pip install 'voxgraft[{extra}]'`.",
        )
