"""Pauses that espeak-ng makes and gives no mark for, so that the words around them would be spoken as one.

It ends a clause at an ellipsis, at a full-width comma, at an opening Spanish mark, and Piper's phonemes have nothing there,
not even a space (`wˈeɪtwˌʌt`). A mark that voices know takes the place of each.
"""

from __future__ import annotations

import re

_ELLIPSIS = r"(?:\.(?:\s?\.){2,}|[…⋯⋮⋰⋱᠁])+"
_CLOSING = r"[\"'”’»›)\]]*"
_WORD_END = r"(?<=[\w%°$€£])"
_TWO_POINTS = re.compile(r"(?<!\.)\.\.(?!\.)")
_BEFORE_MARK = re.compile(rf"{_WORD_END}\s*{_ELLIPSIS}(?=\s*[,;:?!])")
_BETWEEN_WORDS = re.compile(
    rf"{_WORD_END}({_CLOSING})\s*{_ELLIPSIS}({_CLOSING})(?P<gap>[^\S\n]*\n?[^\S\n]*)(?=[^\w\s,;:?!.]*\w)"
)
_OPENING = re.compile(r"(?<=\w)(\s+)[¿¡](?=\w)")
_PHONEMES = re.compile(r"(\[\[.*?\]\])")
_FULL_WIDTH = {"，": ", ", "、": ", ", "︑": ", ", "：": ": ", "；": "; "}
_WIDE = re.compile(f"[{''.join(_FULL_WIDTH)}]\\s*(?=\\S)")


def with_pauses(text: str) -> str:
    """The same text with marks that become pauses. Ellipses at its ends and phonemes in `[[ … ]]` stay as they are."""
    return "".join(part if part.startswith("[[") else _spoken(part) for part in _PHONEMES.split(text))


def _spoken(text: str) -> str:
    text = _TWO_POINTS.sub(".", text)
    text = _BEFORE_MARK.sub("", text)
    text = _BETWEEN_WORDS.sub(lambda found: f"{found[1]},{found[2]}{found['gap'] or ' '}", text)
    text = _OPENING.sub(r"\1", text)
    return _WIDE.sub(lambda found: _FULL_WIDTH[found.group()[0]], text)
