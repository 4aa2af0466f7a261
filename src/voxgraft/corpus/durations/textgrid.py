"""Praat's TextGrid files, long and short, as text.

Format: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html. Of all that is written, only strings, numbers
that stand free and `<exists>` count; the long format's words between them are for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from voxgraft.corpus.durations.label import Label, Tier
from voxgraft.errors import CorpusError

_MOST_BYTES = 64 * 2**20
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?!\S)|(<exists>|<absent>)')
_INTERVALS, _POINTS = "IntervalTier", "TextTier"


def read_textgrid(path: Path) -> tuple[Tier, ...]:
    """The interval tiers of a TextGrid, in order. CorpusError where it is none, or is cut off."""
    tokens = _tokens(path)
    try:
        if (next(tokens), next(tokens)) != ("ooTextFile", "TextGrid"):
            raise ValueError("it doesn't begin with ooTextFile and TextGrid")
        _number(tokens), _number(tokens)
        if next(tokens) != "<exists>":
            return ()
        tiers = [_tier(path, tokens) for _ in range(_count(tokens))]
    except StopIteration:
        raise _malformed(path, "it ends too early") from None
    except ValueError as fault:
        raise _malformed(path, str(fault)) from fault
    return tuple(tier for tier in tiers if tier is not None)


def _tier(path: Path, tokens: Iterator[str | float]) -> Tier | None:
    kind, name = next(tokens), next(tokens)
    _number(tokens), _number(tokens)
    if kind == _INTERVALS:
        labels = [Label(*_interval(tokens)) for _ in range(_count(tokens))]
        return Tier(str(name), tuple(labels), str(path))
    if kind != _POINTS:
        raise ValueError(f"a tier of the kind {str(kind)[:40]!r}")
    for _ in range(_count(tokens)):
        _number(tokens), next(tokens)
    return None


def _interval(tokens: Iterator[str | float]) -> tuple[str, float, float]:
    start, end, text = _number(tokens), _number(tokens), next(tokens)
    if not isinstance(text, str):
        raise ValueError(f"a number ({text:g}) where a label's text is expected")
    return text, start, end


def _number(tokens: Iterator[str | float]) -> float:
    value = next(tokens)
    if not isinstance(value, float):
        raise ValueError(f"{value[:40]!r} where a number is expected")
    return value


def _count(tokens: Iterator[str | float]) -> int:
    value = _number(tokens)
    if value < 0 or value != int(value):
        raise ValueError(f"{value:g} where a count is expected")
    return int(value)


def _tokens(path: Path) -> Iterator[str | float]:
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as fault:
        raise CorpusError(f"can't be read: {fault.strerror}", file=path, remedy="Check its permissions.") from fault
    if len(raw) > _MOST_BYTES:
        raise _malformed(path, f"it has over {_MOST_BYTES} bytes")
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise _malformed(path, "it is neither UTF-8 nor UTF-16") from None
    for string, number, flag in (match.groups() for match in _TOKEN.finditer(text)):
        yield float(number) if number is not None else flag if flag is not None else string.replace('""', '"')


def _malformed(path: Path, what: str) -> CorpusError:
    return CorpusError(
        f"is no TextGrid that can be read: {what}",
        file=path,
        expected="a file that Praat saved as text, long or short",
        remedy="Open it in Praat and save it again as a text file.",
    )
