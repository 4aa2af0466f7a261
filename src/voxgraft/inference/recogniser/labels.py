"""Labels: what each output of a recogniser spells, and how a run of them becomes text and words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from voxgraft.errors import CheckpointError
from voxgraft.text.marks import space_among
from voxgraft.text.symbols import SymbolTable

# How the vocabularies of SentencePiece write a space.
_PIECE = "\u2581"
_NO_TEXT = frozenset({"<unk>", "[UNK]", "<UNK>", "\u2047", "<s>", "</s>", "<pad>", "[PAD]"})
_LONGEST_PIECE = 64


class LabelledWord(NamedTuple):
    """A word and the labels [first, last) that spell it."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Spelt:
    """A text as labels, and the characters of it that no label spells, with counts."""

    labels: tuple[int, ...]
    unknown: Counter[str]


@dataclass(frozen=True)
class Labels:
    """`spellings[i]` is what output i writes, a space as " ", None where it writes nothing; with `bytes` a byte of
    UTF-8 as chr(byte). `blank` is the blank of CTC."""

    spellings: tuple[str | None, ...]
    blank: int
    bytes: bool = False

    @classmethod
    def of(cls, symbols: SymbolTable) -> Labels:
        """The labels of a recogniser's symbol table. Raises CheckpointError where it has no blank."""
        if symbols.blank is None:
            raise CheckpointError(
                "these symbols have no blank",
                field="symbols.blank",
                expected="the name of the symbol that is CTC's blank",
                got="nothing",
                remedy="Only recognisers trained with CTC can be run here; export the model again with its blank named.",
            )
        silent = {symbols.pad, symbols.bos, symbols.eos, symbols.blank} | _NO_TEXT
        space = space_among(symbols.ids, ctc=True) if symbols.text_kind != "bytes" else None
        spellings: list[str | None] = [None] * symbols.rows
        for symbol, numbers in symbols.ids.items():
            written = " " if symbol == space else symbol
            if symbols.text_kind != "bytes":
                written = written.replace(_PIECE, " ")
            for number in numbers:
                spellings[number] = None if symbol in silent else written
        return cls(tuple(spellings), symbols.ids[symbols.blank][0], symbols.text_kind == "bytes")

    def __len__(self) -> int:
        return len(self.spellings)

    @cached_property
    def silent(self) -> np.ndarray:
        """Outputs that write nothing and are not the blank, int64 [S]: no text may hold them."""
        return np.array([i for i, s in enumerate(self.spellings) if not s and i != self.blank], np.int64)

    @cached_property
    def breaks(self) -> np.ndarray:
        """Whether a label ends the word before it: bool [V]."""
        return np.array([bool(s) and s[0] == " " for s in self.spellings])

    @property
    def has_words(self) -> bool:
        """Whether some label separates words."""
        return bool(self.breaks.any())

    def text(self, labels: Sequence[int]) -> str:
        """What labels spell, single spaces, none at the ends; bytes that are no whole character are left out."""
        return " ".join(self._raw(labels).split())

    def words(self, labels: Sequence[int]) -> list[LabelledWord]:
        """The words that labels spell, in order, each with its labels."""
        found: list[LabelledWord] = []
        first = 0
        for at in range(len(labels) + 1):
            if at < len(labels) and not self.breaks[labels[at]]:
                continue
            if at > first and (word := self._raw(labels[first:at]).strip()):
                while first < at and self.spellings[labels[first]] == " ":
                    first += 1
                found.append(LabelledWord(word, first, at))
            first = at
        return found

    def spell(self, text: str) -> Spelt:
        """The labels of a text, its case changed where the labels know only the other; the longest label first."""
        text = " ".join(unicodedata.normalize("NFC", text).split())
        if self.bytes:
            return _longest_first(text.encode().decode("latin-1"), self._numbers, 1)
        cased = self.in_case(text)
        return _longest_first(f" {cased}" if self._pieces and cased else cased, self._numbers, self._longest)

    def in_case(self, text: str) -> str:
        """A text with the case of its letters changed where the labels know only the other."""
        if self.bytes or self._letters.issuperset(text):
            return text
        return "".join(_known_case(character, self._letters) for character in text)

    def _raw(self, labels: Sequence[int]) -> str:
        joined = "".join(self.spellings[label] or "" for label in labels)
        return joined.encode("latin-1").decode("utf-8", errors="ignore") if self.bytes else joined

    @cached_property
    def _numbers(self) -> dict[str, int]:
        written = {s: i for i, s in enumerate(self.spellings) if s}
        return {unicodedata.normalize("NFC", s): i for s, i in written.items()} | written

    @cached_property
    def _longest(self) -> int:
        return min(_LONGEST_PIECE, max((len(s) for s in self._numbers), default=1))

    @cached_property
    def _letters(self) -> frozenset[str]:
        return frozenset(character for spelling in self._numbers for character in spelling)

    @cached_property
    def _pieces(self) -> bool:
        return any(s and s[0] == " " and len(s) > 1 for s in self.spellings)


def _known_case(character: str, letters: frozenset[str]) -> str:
    if character in letters:
        return character
    return next((form for form in (character.lower(), character.upper()) if letters.issuperset(form)), character)


def _longest_first(text: str, known: dict[str, int], longest: int) -> Spelt:
    labels: list[int] = []
    unknown: Counter[str] = Counter()
    at = 0
    while at < len(text):
        size = next((n for n in range(min(longest, len(text) - at), 0, -1) if text[at : at + n] in known), 0)
        if size:
            labels.append(known[text[at : at + size]])
        else:
            unknown[text[at]] += 1
        at += max(size, 1)
    return Spelt(tuple(labels), unknown)
