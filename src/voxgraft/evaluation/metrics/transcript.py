"""Character and word error rates, pooled over clips."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voxgraft.errors import EvaluationError, MissingExtra

if TYPE_CHECKING:
    from rapidfuzz.distance import Editops

SPACE_LIKE = frozenset("–—―/\\_…")


@dataclass(frozen=True)
class ErrorCount:
    """Edits that turn a transcript into what was heard, and the length of the transcript."""

    edits: int
    length: int


def normalise_transcript(text: str) -> str:
    """Lower case; letters, digits and single spaces only. Long dashes, slashes and dots in a row part words."""
    kept = []
    for character in unicodedata.normalize("NFC", text).lower():
        if unicodedata.category(character)[0] in "LMN":
            kept.append(character)
        elif character.isspace() or character in SPACE_LIKE:
            kept.append(" ")
    return " ".join("".join(kept).split())


def edits(reference: Sequence[str], heard: Sequence[str]) -> Editops:
    """The fewest insertions, deletions and substitutions that turn one sequence into the other (Levenshtein).

    Raises MissingExtra without rapidfuzz.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as fault:
        raise MissingExtra("rapidfuzz", "eval", "counting the errors of a transcript") from fault
    return Levenshtein.editops(reference, heard)


def character_errors(reference: str, heard: str) -> ErrorCount:
    """Edits in characters, spaces included, after normalising both."""
    wanted = normalise_transcript(reference)
    return ErrorCount(len(edits(wanted, normalise_transcript(heard))), len(wanted))


def word_errors(reference: str, heard: str) -> ErrorCount:
    """Edits in words, after normalising both."""
    wanted = normalise_transcript(reference).split()
    return ErrorCount(len(edits(wanted, normalise_transcript(heard).split())), len(wanted))


def pooled(counts: Sequence[ErrorCount]) -> float:
    """All edits over all lengths: long clips weigh more than short ones. May exceed 1."""
    length = sum(count.length for count in counts)
    if not length:
        raise EvaluationError(
            "no letter or digit in any transcript to score against", remedy="Give texts with words in them."
        )
    return sum(count.edits for count in counts) / length


def cer(references: Sequence[str], heard: Sequence[str]) -> float:
    """Character error rate, pooled: 0 is perfect."""
    return pooled([character_errors(*pair) for pair in zip(references, heard, strict=True)])


def wer(references: Sequence[str], heard: Sequence[str]) -> float:
    """Word error rate, pooled: 0 is perfect."""
    return pooled([word_errors(*pair) for pair in zip(references, heard, strict=True)])
