"""Whether the texts of a corpus can be what is heard in it at all: told from all of them together, without listening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from voxgraft.corpus.checks.finding import WHOLE, Finding
from voxgraft.corpus.checks.text_rate import letters
from voxgraft.corpus.split import text_key

_FEWEST_SAME, _FEWEST_NAMES, _FEWEST_PAIRS = 3, 6, 10
# Of real corpora the logarithms of letters and of seconds correlate by 0.8 and more; of texts that were shuffled, by 0.
_LEAST_CORRELATION = 0.3
# Where all clips or all texts are about as long, no correlation can be seen.
_LEAST_SPREAD = 0.15
_SHOWN = 40
_COLUMN = "Check that the right column was taken for the text (`--columns` names them), and listen to some clips."


def text_findings(texts: Sequence[str]) -> list[Finding]:
    """Texts that are all the same, or that look like the names or numbers of speakers."""
    keys = [text_key(text) for text in texts]
    counted = Counter(keys)
    if not counted:
        return []
    commonest, count = counted.most_common(1)[0]
    if count >= _FEWEST_SAME and 2 * count >= len(keys):
        of = f"all {count} clips have" if count == len(keys) else f"{count} of {len(keys)} clips have"
        return [Finding(WHOLE, "same text", f"{of} the same text: {commonest[:_SHOWN]!r}", _COLUMN)]
    single = all(len(key.split()) == 1 for key in keys)
    few = 2 * len(counted) <= len(keys)
    numbers = all(key.isdecimal() for key in keys)
    if len(keys) >= _FEWEST_NAMES and single and (few or numbers):
        shown = ", ".join(repr(key[:_SHOWN]) for key, _ in counted.most_common(4))
        detail = (
            f"all {len(keys)} texts are single words, {len(counted)} different ones, as speakers' names are: {shown}"
        )
        return [
            Finding(WHOLE, "texts like names", detail, f"{_COLUMN} Nothing is needed if single words are what is said.")
        ]
    return []


def length_findings(texts: Sequence[str], speech: Sequence[float]) -> list[Finding]:
    """Texts whose length has nothing to do with the seconds of speech that they are said to be."""
    pairs = [(letters(text), seconds) for text, seconds in zip(texts, speech, strict=True) if seconds > 0]
    if len(pairs) < _FEWEST_PAIRS:
        return []
    written, spoken = np.log([(count + 1, seconds) for count, seconds in pairs]).T
    if min(written.std(), spoken.std()) < _LEAST_SPREAD:
        return []
    correlation = float(np.corrcoef(written, spoken)[0, 1])
    if correlation >= _LEAST_CORRELATION:
        return []
    detail = f"long texts don't go with long recordings (correlation {correlation:.2f}, usual are 0.8 and more)"
    return [Finding(WHOLE, "texts of other clips", detail, f"{_COLUMN} The rows may have been shuffled or shifted.")]
