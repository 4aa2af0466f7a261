"""Unicode form, white space and invisible characters: nothing that changes how a clean text is read."""

from __future__ import annotations

import re
import unicodedata

from voxgraft.errors import TextError

# Kept: new lines, since a blank line ends a paragraph; ZWJ and ZWNJ, which shape words in Persian and Indic scripts.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff\x00-\x08\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029")
_SPACES = re.compile(r"[^\S\n]+")


def normalise(text: str) -> str:
    """NFC, one kind of line end, single spaces, no invisible or control characters. Raises TextError."""
    require_unicode(text)
    text = unicodedata.normalize("NFC", text)
    text = _LINE_ENDS.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    return _SPACES.sub(" ", text).strip()


def require_unicode(text: str) -> None:
    """Raise TextError for half of a surrogate pair: what bytes that aren't UTF-8 become on the command line."""
    broken = _SURROGATE.search(text)
    if broken is not None:
        raise TextError(
            "the text holds a character that is not valid Unicode",
            expected="UTF-8",
            got=f"{broken.group()!r} at character {broken.start()}",
            remedy="Save the text as UTF-8 and try again.",
        )
