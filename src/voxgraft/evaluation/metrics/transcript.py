"""Character and word error rates, pooled over clips."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from voxgraft.errors import EvaluationError

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


def edit_distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions between two sequences (Levenshtein)."""
    above = list(range(len(heard) + 1))
    for row, wanted in enumerate(reference, 1):
        diagonal, above[0] = above[0], row
        for column, got in enumerate(heard, 1):
            cost = min(above[column] + 1, above[column - 1] + 1, diagonal + (wanted != got))
            diagonal, above[column] = above[column], cost
    return above[-1]


def character_errors(reference: str, heard: str) -> ErrorCount:
    """Edits in characters, spaces included, after normalising both."""
    wanted = normalise_transcript(reference)
    return ErrorCount(edit_distance(wanted, normalise_transcript(heard)), len(wanted))


def word_errors(reference: str, heard: str) -> ErrorCount:
    """Edits in words, after normalising both."""
    wanted = normalise_transcript(reference).split()
    return ErrorCount(edit_distance(wanted, normalise_transcript(heard).split()), len(wanted))


def pooled(counts: Sequence[ErrorCount]) -> float:
    """All edits over all lengths: long clips weigh more than short ones. May exceed 1."""
    length = sum(count.length for count in counts)
    if not length:
        raise EvaluationError(
            "no letter or digit in any transcript to score against", remedy="give texts with words in them"
        )
    return sum(count.edits for count in counts) / length


def cer(references: Sequence[str], heard: Sequence[str]) -> float:
    """Character error rate, pooled: 0 is perfect."""
    return pooled([character_errors(*pair) for pair in zip(references, heard, strict=True)])


def wer(references: Sequence[str], heard: Sequence[str]) -> float:
    """Word error rate, pooled: 0 is perfect."""
    return pooled([word_errors(*pair) for pair in zip(references, heard, strict=True)])
