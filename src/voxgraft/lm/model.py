"""NgramModel: the probability of words one after another, with backoff; a context is a state that costs little to go on from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from voxgraft.lm.trie import NOWHERE, NgramTrie

# Rows of the last word, the last two words and so on, as far as the model holds them.
State = tuple[int, ...]


@dataclass(frozen=True)
class NgramModel:
    """`probability[k]` and `backoff[k]` [N] are decimal logarithms for each row of order k + 1 in `trie`.

    `unknown`, `begin` and `end` are the numbers of those words, NOWHERE where the model has none.
    """

    vocabulary: tuple[str, ...]
    trie: NgramTrie
    probability: tuple[NDArray[np.float32], ...]
    backoff: tuple[NDArray[np.float32], ...]
    unknown: int
    begin: int
    end: int

    @property
    def order(self) -> int:
        """Words of the longest n-grams."""
        return self.trie.order

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word -> number."""
        return {word: number for number, word in enumerate(self.vocabulary)}

    @property
    def beginning(self) -> State:
        """The context of a sentence's first word."""
        return () if self.begin == NOWHERE or self.order == 1 else (self.begin,)

    def after(self, state: State, word: int) -> tuple[float, State]:
        """The decimal logarithm of a word's probability in a context, and the context after it."""
        rows = [word]
        for length, beginning in enumerate(state, 1):
            row = self._row(length + 1, beginning * self.trie.words + word)
            if row == NOWHERE:
                break
            rows.append(row)
        logarithm = float(self.probability[len(rows) - 1][rows[-1]])
        for length in range(len(rows), len(state) + 1):
            logarithm += float(self.backoff[length - 1][state[length - 1]])
        return logarithm, tuple(rows[: self.order - 1])

    def sentence(self, words: Sequence[str]) -> float:
        """The decimal logarithm of a sentence's probability, its end included where the model knows ends."""
        state, total = self.beginning, 0.0
        for word in words:
            number = self.numbers.get(word, self.unknown)
            if number == NOWHERE:
                return float("-inf")
            logarithm, state = self.after(state, number)
            total += logarithm
        return total if self.end == NOWHERE else total + self.after(state, self.end)[0]

    @cached_property
    def _sought(self) -> list[NDArray[np.int64]]:
        return [np.ascontiguousarray(keys) for keys in self.trie.keys]

    def _row(self, order: int, key: int) -> int:
        keys = self._sought[order - 1]
        place = bisect_left(keys, key)
        return place if place < len(keys) and keys[place] == key else NOWHERE
