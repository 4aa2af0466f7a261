"""Vocabulary: the words of a language model as a tree of letters in arrays."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from voxgraft.inference.recogniser.labels import Labels

FOREIGN, WORD_START = -1, 0
NO_WORD = -1
_LETTERS = 0x110000


class Vocabulary:
    """States are beginnings of words: WORD_START before the first letter, FOREIGN where no word begins so.

    `word[s]` is the number of the word that a state spells whole, NO_WORD for none. `keys` [states - 1, ascending] is a
    state × letters + the letter that leads to the next state, which is the key's place + 1.
    """

    def __init__(self, words: Sequence[str], labels: Labels) -> None:
        self._letters = [[ord(letter) for letter in (spelling or "").lstrip(" ")] for spelling in labels.spellings]
        written = [_written(word, labels) for word in words]
        lengths = np.array([len(word) for word in written], np.int64)
        letters = np.frombuffer("".join(written).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
        begins = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(lengths) else lengths
        active, state = np.flatnonzero(lengths > 0), np.zeros(len(words), np.int64)
        keys: list[np.ndarray] = []
        count, depth = 1, 0
        while len(active):
            wanted = state[active] * _LETTERS + letters[begins[active] + depth]
            new, place = np.unique(wanted, return_inverse=True)
            keys.append(new)
            state[active] = count + place
            count, depth = count + len(new), depth + 1
            active = active[lengths[active] > depth]
        self.keys = np.concatenate([np.zeros(0, np.int64), *keys])
        self._sought = memoryview(self.keys)
        self.word = np.full(count, NO_WORD, np.int64)
        whole = lengths > 0
        # Words that the recogniser writes alike are one: the last, so the likeliest should come last.
        self.word[state[whole]] = np.arange(len(words))[whole]

    def walk(self, state: int, label: int) -> int:
        """The state after `state` goes on with `label`; a space before a label's letters is no letter."""
        for letter in self._letters[label]:
            if state == FOREIGN:
                break
            wanted = state * _LETTERS + letter
            place = bisect_left(self._sought, wanted)
            state = place + 1 if place < len(self._sought) and self._sought[place] == wanted else FOREIGN
        return state


class GoingOn(dict[int, int]):
    """Label -> the state after it, from one state, each looked for when it is first asked for."""

    def __init__(self, vocabulary: Vocabulary, state: int) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._state = state

    def __missing__(self, label: int) -> int:
        """Find it out."""
        self[label] = found = self._vocabulary.walk(self._state, label)
        return found


def _written(word: str, labels: Labels) -> str:
    """A word in the units of the labels' spellings."""
    cased = labels.in_case(word)
    return cased.encode().decode("latin-1") if labels.bytes else cased
