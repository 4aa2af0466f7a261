"""Running text for a language model: files line by line, as the words that a recogniser would write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from voxgraft.errors import TextError
from voxgraft.lm.text_file import lines_of
from voxgraft.text.normalise import normalise

_LONGEST_LINE = 1 << 22
# Signs that stand inside words: they stay there, and go at the edges.
_INSIDE = "'’-"


def read_sentences(paths: Iterable[Path], *, as_is: bool = False) -> Iterator[list[str]]:
    """The words of each line of text files, gzipped or not. Raises TextError naming file and line.

    Lower case without punctuation, unless `as_is`: then words are what stands between spaces.
    """
    for path in paths:
        yield from ((line.split() if as_is else spoken_words(line)) for line in _lines(path))


def spoken_words(line: str) -> list[str]:
    """The words of a line in lower case, without signs that nobody speaks."""
    kept = "".join(c if c in _INSIDE or unicodedata.category(c)[0] in "LMN" else " " for c in normalise(line).lower())
    stripped = (word.strip(_INSIDE) for word in kept.replace("’", "'").split())
    return [word for word in stripped if word]


def _lines(path: Path) -> Iterator[str]:
    for number, line in enumerate(lines_of(path, _LONGEST_LINE), 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as fault:
            raise TextError(
                "is not UTF-8",
                file=path,
                field=f"line {number}",
                got=f"byte {fault.object[fault.start]:#x}",
                remedy="Convert it to UTF-8 first, for example with iconv.",
            ) from fault
