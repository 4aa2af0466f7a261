"""Alphabets of recognisers as Coqui STT and DeepSpeech write them: a label a line, its number the order of the lines.

Source: https://github.com/coqui-ai/STT/blob/main/native_client/alphabet.cc. `#` begins a comment, `\\#` is the label
`#`, a line of one space is the space, empty lines count nothing, any of the three line endings ends a line.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from voxgraft.text.symbols import SymbolTable

BLANK = "<blank>"
BYTE_LABELS = 255
_LINE_END = re.compile(r"\r\n|\r|\n")


def parse_alphabet(text: str) -> tuple[str, ...]:
    """The labels of an alphabet file, in order."""
    lines = (line for line in _LINE_END.split(text) if line and (not line.startswith("#")))
    return tuple("#" if line == "\\#" else line for line in lines)


def alphabet_text(labels: Sequence[str]) -> str:
    """The content of an alphabet file with these labels."""
    return "".join(("\\#" if label == "#" else label) + "\n" for label in labels)


def label_problems(labels: Sequence[str]) -> tuple[str, ...]:
    """What of an alphabet can't work as it was meant, in words."""
    problems = [
        f"label {label!r} comes {count} times: only the last is learned"
        for label, count in Counter(labels).items()
        if count > 1
    ]
    long = [label for label in labels if len(label) > 1]
    if long:
        problems.append(
            f"{len(long)} labels of several characters are never learned, such as {long[0]!r}: text is read a character at a time"
        )
    marks = [label for label in labels if len(label) == 1 and unicodedata.combining(label)]
    composed = [label for label in labels if len(unicodedata.normalize("NFD", label)) > len(label)]
    if marks and composed:
        problems.append(
            f"holds combining marks, such as {marks[0]!r}, beside composed letters, such as {composed[0]!r}: "
            "transcripts must spell each letter in one way"
        )
    return tuple(problems)


def alphabet_table(labels: Sequence[str]) -> SymbolTable:
    """The symbol table of a recogniser with these labels: label i is output i, the blank of CTC comes last."""
    blank = BLANK
    while blank in labels:
        blank = f"<{blank}>"
    # A label that comes twice means its last row, as in Coqui STT.
    ids = {label: (number,) for number, label in enumerate(labels)} | {blank: (len(labels),)}
    return _table(ids, "ctc", blank)


def byte_table() -> SymbolTable:
    """The symbol table of byte output: output i is the byte i + 1 of UTF-8, written chr(i + 1); the blank is the last."""
    ids = {chr(number + 1): (number,) for number in range(BYTE_LABELS)} | {BLANK: (BYTE_LABELS,)}
    return _table(ids, "bytes", BLANK)


def _table(ids: Mapping[str, tuple[int]], text_kind: str, blank: str) -> SymbolTable:
    rows = 1 + max(number for (number,) in ids.values())
    return SymbolTable(ids, rows, text_kind, pad=None, bos=None, eos=None, intersperse=False, blank=blank)
