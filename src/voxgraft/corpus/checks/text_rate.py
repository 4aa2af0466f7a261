"""Whether a text can have been said in the time of its recording, judged by the rest of the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from voxgraft.corpus.split import text_key

# What a clip takes besides its letters. With it, 552 real prompts from one letter to a paragraph lie within 0.62 and
# 2.6 of what is expected (1st to 99th percentile 0.76 to 1.8), but for those whose text says something else.
OVERHEAD_SECONDS = 0.3
SHORTEST_RATIO = 0.6
LONGEST_RATIO = 2.5
FEWEST_CLIPS = 5
# For any voice and language, however small its corpus: nobody needs longer.
_SLOWEST_LETTER, _SLOWEST_START = 0.35, 1.0
_FEWEST_LETTERS = 10
# A digit is read as a word of about four letters.
_LETTERS_OF_DIGIT = 4


def letters(text: str) -> int:
    """Letters of a text as they are spoken, digits as words."""
    return sum(_LETTERS_OF_DIGIT if c.isdigit() else not c.isspace() for c in text_key(text))


def letter_seconds(texts: Sequence[str], speech: Sequence[float]) -> float | None:
    """Median seconds of a letter; None for a corpus that is too small to say."""
    rates = [
        max(seconds - OVERHEAD_SECONDS, 0.05) / letters(text)
        for text, seconds in zip(texts, speech, strict=True)
        if letters(text) >= _FEWEST_LETTERS and seconds > 0
    ]
    return median(rates) if len(rates) >= FEWEST_CLIPS else None


def expected_seconds(text: str, letter: float) -> float:
    """How long this corpus would take to say the text."""
    return OVERHEAD_SECONDS + letters(text) * letter


def longest_seconds(text: str) -> float:
    """Longer than anybody takes to say a text."""
    count = 1 if len(text_key(text)) == 1 else letters(text)
    return _SLOWEST_START + _SLOWEST_LETTER * count
