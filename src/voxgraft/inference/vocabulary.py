"""Vocabulary: the words of a language model as a tree of letters in arrays, walked by many beams at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voxgraft.inference.labels import Labels

FOREIGN, WORD_START = -1, 0
NO_WORD = -1
_LETTERS = 0x110000


class Vocabulary:
    """States are beginnings of words: WORD_START before the first letter, FOREIGN where no word begins so.

    `word[s]` is the number of the word that a state spells whole, NO_WORD for none. `keys` [states - 1, ascending] is a
    state × letters + the letter that leads to the next state, which is the key's place + 1.
    """

    def __init__(self, words: Sequence[str], labels: Labels) -> None:
        self._units = _units(labels)
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
        self.word = np.full(count, NO_WORD, np.int64)
        whole = lengths > 0
        # Words that the recogniser writes alike are one: the last, so the likeliest should come last.
        self.word[state[whole]] = np.arange(len(words))[whole]

    def walk(self, states: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The states after `states` [N] go on with `labels` [N]; a space before a label's letters is no letter."""
        states = states.copy()
        for units in self._units:
            letter = units[labels]
            going = np.flatnonzero((letter >= 0) & (states != FOREIGN))
            if not len(going):
                continue
            wanted = states[going] * _LETTERS + letter[going]
            place = np.minimum(np.searchsorted(self.keys, wanted), max(0, len(self.keys) - 1))
            found = self.keys[place] == wanted if len(self.keys) else np.zeros(len(going), bool)
            states[going] = np.where(found, place + 1, FOREIGN)
        return states


def _units(labels: Labels) -> list[np.ndarray]:
    """First letters of all labels [V], second letters, and so on; -1 where a label has no more."""
    spelt = [(spelling or "").lstrip(" ") for spelling in labels.spellings]
    longest = max(map(len, spelt), default=0)
    return [np.array([ord(s[at]) if at < len(s) else -1 for s in spelt], np.int64) for at in range(longest)]


def _written(word: str, labels: Labels) -> str:
    """A word in the units of the labels' spellings."""
    cased = labels.in_case(word)
    return cased.encode().decode("latin-1") if labels.bytes else cased
