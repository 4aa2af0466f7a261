"""NgramTrie: n-grams as sorted arrays, a table an order; a row is known by the row of its beginning and its last word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
NOWHERE = -1


class NgramTrie:
    """`keys[k]` [N] of order k + 1, ascending: row of the first k words in the order below × `words` + the last word.

    Rows of order 1 are the words themselves.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        self.keys: list[Rows] = [np.arange(words, dtype=np.int64)]

    @property
    def order(self) -> int:
        """Words of the longest n-grams."""
        return len(self.keys)

    def find(self, order: int, beginnings: Rows, last: Rows) -> Rows:
        """Rows [N] of the n-grams of `order` that go on from `beginnings` [N] with the words `last` [N]; NOWHERE for none."""
        if order == 1:
            return np.asarray(last, np.int64)
        return self._find(order, np.where(beginnings == NOWHERE, NOWHERE, beginnings * self.words + last))

    def _find(self, order: int, wanted: Rows) -> Rows:
        keys = self.keys[order - 1]
        if not len(keys):
            return np.full(len(wanted), NOWHERE, np.int64)
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[places] == wanted, places, NOWHERE)

    def beginnings(self, order: int) -> Rows:
        """For each row of `order` (2 or more), the row of its beginning in the order below."""
        return self.keys[order - 1] // self.words

    def last_words(self, order: int) -> Rows:
        """For each row of `order`, its last word."""
        return self.keys[order - 1] % self.words

    def endings(self, order: int) -> Rows:
        """For each row of `order` (2 or more), the row of it without its first word in the order below."""
        if order == 2:
            return self.last_words(2)
        shorter = self.endings(order - 1)[self.beginnings(order)]
        return self.find(order - 1, shorter, self.last_words(order))

    def spelt(self, order: int) -> Rows:
        """The words of each row of `order`: [N, order]."""
        if order == 1:
            return self.keys[0][:, None]
        before = self.spelt(order - 1)[self.beginnings(order)]
        return np.concatenate([before, self.last_words(order)[:, None]], axis=1)
