"""Transcripts for recognisers: what is said, in the letters of an alphabet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

# Signs between words, and the ways in which an apostrophe is written.
_GAPS = frozenset("–—―-/\\_…")
_APOSTROPHES = frozenset("'’‘ʼ`´")
APOSTROPHE = "'"
# Points that part words where no space does, as a lone one may not: `U.S.`, `3.5`.
_POINTS = re.compile(r"\.{2,}")


def plain(text: str, known: Container[str] = ()) -> str:
    """Small letters, marks, digits, single spaces, apostrophes inside words, and whatever else is `known`."""
    letters = list(unicodedata.normalize("NFC", _POINTS.sub(" ", text)))
    kept = []
    for place, character in enumerate(letters):
        if character in known or (character.lower() in known and len(character.lower()) == 1):
            kept.append(character if character in known else character.lower())
        elif character in _APOSTROPHES:
            kept.append(APOSTROPHE if _inside_word(letters, place) else " ")
        elif unicodedata.category(character)[0] in "LMN":
            kept.append(character.lower())
        elif character.isspace() or character in _GAPS:
            kept.append(" ")
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _inside_word(letters: list[str], place: int) -> bool:
    around = letters[max(place - 1, 0) : place] + letters[place + 1 : place + 2]
    return len(around) == 2 and all(unicodedata.category(character)[0] in "LM" for character in around)
