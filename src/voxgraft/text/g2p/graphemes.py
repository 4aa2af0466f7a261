"""Graphemes: the symbols are the characters themselves, as code points of the text's NFD form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# A text is one sentence, as in Piper, until it is longer than a voice can speak in one breath.
LONGEST_SENTENCE = 600
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’»)]*\s+|\n\s*\n")


class GraphemePhonemizer:
    """Code points of the NFD form. Case is kept: the symbol table decides (see `encode_text`)."""

    def sentences(self, text: str) -> list[list[str]]:
        """The code points of each sentence; a text of up to LONGEST_SENTENCE characters is one sentence."""
        return list(self.stream(text))

    def stream(self, text: str) -> Iterator[list[str]]:
        """The same one by one."""
        if len(text) <= LONGEST_SENTENCE:
            if text:
                yield list(unicodedata.normalize("NFD", text))
            return
        for piece in _pieces(text):
            yield list(unicodedata.normalize("NFD", piece))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield from _cut(text[start : end.end()].strip())
        start = end.end()
    yield from _cut(text[start:].strip())


def _cut(sentence: str) -> Iterator[str]:
    """Break a sentence that is too long at the last space before the limit, or at the limit itself."""
    while len(sentence) > LONGEST_SENTENCE:
        space = sentence.rfind(" ", 1, LONGEST_SENTENCE)
        cut = space if space > 0 else LONGEST_SENTENCE
        yield sentence[:cut]
        sentence = sentence[cut:].lstrip()
    if sentence:
        yield sentence
