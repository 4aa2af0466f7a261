"""Which punctuation ended a clause that espeak-ng has read, and whether a sentence ended with it.

espeak-ng gives phonemes without punctuation; voices are trained with it. What ended a clause is read back from the text
up to where espeak-ng stopped. The table holds, for each character at which espeak-ng ends a clause, the mark that Piper
writes, as observed by giving it every character of Unicode that is not a letter or a digit.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Ending(NamedTuple):
    """The mark that closes a clause (may be empty) and whether its sentence ends there."""

    mark: str
    sentence: bool


def _table(marks: dict[tuple[str, bool], str]) -> dict[str, Ending]:
    return {character: Ending(*ending) for ending, characters in marks.items() for character in characters}


ENDINGS = _table(
    {
        (".", True): ".۔܁܄።᙮᠃᠉⳹⳾⸳⸼꓿꘎꛳︒﹒。\U00016af5\U0001bc9f\U0001da88",
        ("!", True): "!܃߹᥄‼❕❗❢❣︕﹗\U0001e95e",
        ("?", True): "?;؟܉፧᥅⁇❓❔⳺⳻꘏꛷︖﹖\U00011143\U0001e95f",
        (",", False): ",՝،܂߸༔፣᠂᠈⸲⸴⹁꓾꘍꛵︐︑﹐﹑、\U0001144d\U0001da87",
        (":", False): ":܆܇፥፦᠄⦂꛴︓﹕\U00012471\U00012472\U0001da8a",
        (";", False): ";·؛܈፤–—⁏⸵⸺⸻꛶︔︱︲﹔\U0001da89",
        ("", False): "¡¿᠁…⋮⋯⋰⋱、︙，：；",
        ("", True): "։܀।॥෴།༎჻፨\u2029。！．？",
    }
)
_CLOSING = re.compile(f"[{re.escape(''.join(ENDINGS))}]+$")
_WORD = re.compile(r"\w")


def ending(clause: str, *, last: bool) -> Ending:
    """How a clause ended. `clause` is its text without the next clause's first character; `last`: the text is over."""
    bare = clause.rstrip()
    if clause.count("\n", len(bare)) > 1 or (last and not _WORD.search(bare)):
        return Ending("", True)
    closing = _CLOSING.search(bare)
    if closing is None:
        return Ending("", last)
    marks = closing.group()
    return ENDINGS["…" if marks.startswith("...") else marks[0]]
