"""An n-gram model from text: modified Kneser–Ney, interpolated, with pruning, in arrays.

Source: Chen and Goodman 1998, An Empirical Study of Smoothing Techniques for Language Modeling; Heafield et al. 2013,
Scalable Modified Kneser-Ney Language Model Estimation. Memory grows with the different n-grams, not with the text: its
words go to a temporary file, block by block.
Our own: KenLM's lmplz is a program that users would have to build.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxgraft.errors import TextError
from voxgraft.lm.trie import NOWHERE, NgramTrie, Rows

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
_UNKNOWN, _BEGIN, _END = 0, 1, 2
HIGHEST_ORDER = 6
MOST_NGRAMS = 60_000_000
MOST_WORDS = 1 << 24
_BLOCK = 1 << 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NgramEstimate:
    """`probability[k]` and `backoff[k]` [N] of each row of order k + 1 in `trie`; `vocabulary[i]` is word i."""

    vocabulary: tuple[str, ...]
    trie: NgramTrie
    probability: list[Floats]
    backoff: list[Floats]
    discounts: list[Floats]


def estimate(sentences: Iterable[Sequence[str]], order: int = 3, prune: Sequence[int] = ()) -> NgramEstimate:
    """An n-gram model of sentences of words.

    `prune[k]` drops n-grams of k + 1 words that were seen so often or less; the last number counts for all higher orders.
    Raises TextError for an empty text, a wrong order, or more different n-grams than memory is meant for.
    """
    thresholds = _thresholds(order, prune)
    with tempfile.TemporaryDirectory(prefix="voxgraft-lm-") as folder:
        words, vocabulary = _store(sentences, Path(folder) / "words")
        trie, counts = _count(words, len(vocabulary), order, Path(folder))
        del words
    adjusted = _adjusted(trie, counts)
    return _smoothed(vocabulary, trie, counts, adjusted, thresholds)


def _thresholds(order: int, prune: Sequence[int]) -> tuple[int, ...]:
    if not 1 <= order <= HIGHEST_ORDER:
        raise TextError(
            "out of range", field="order", expected=f"1 to {HIGHEST_ORDER}", got=order, remedy="3 is right for speech."
        )
    given = tuple(prune)[:order] or (0,)
    thresholds = given + given[-1:] * (order - len(given))
    if thresholds[0] != 0 or min(thresholds) < 0 or list(thresholds) != sorted(thresholds):
        raise TextError(
            "not numbers to prune by",
            field="prune",
            expected="0 for single words, then numbers that never fall, such as 0 0 1",
            got=" ".join(map(str, prune)),
            remedy="Give a number that is at least as high for each longer n-gram, as in --prune '0 0 1'.",
        )
    return thresholds


def _store(sentences: Iterable[Sequence[str]], path: Path) -> tuple[Rows, tuple[str, ...]]:
    """Word numbers of all sentences with their ends, mapped from a file, and the words in order of appearance."""
    numbers = {UNKNOWN: _UNKNOWN, BEGIN: _BEGIN, END: _END}
    block: list[int] = []
    with open(path, "wb") as file:
        for sentence in sentences:
            if not sentence:
                continue
            block.append(_BEGIN)
            # Words that stand for ends and the unknown mean those in a model, so in a text they are unknown words.
            block += [numbers.setdefault(word, len(numbers)) if not _reserved(word) else _UNKNOWN for word in sentence]
            block.append(_END)
            if len(block) >= _BLOCK:
                file.write(np.array(block, np.int64).tobytes())
                block.clear()
            if len(numbers) > MOST_WORDS:
                raise _too_many("words", MOST_WORDS)
        file.write(np.array(block, np.int64).tobytes())
    if not path.stat().st_size:
        raise TextError("the text holds no words", remedy="Give text with a sentence a line.")
    return np.memmap(path, np.int64, "r"), tuple(numbers)


def _reserved(word: str) -> bool:
    return word in (UNKNOWN, BEGIN, END)


def _count(words: Rows, vocabulary: int, order: int, folder: Path) -> tuple[NgramTrie, list[Rows]]:
    """All n-grams up to `order` and how often each comes; none reaches over the end of a sentence."""
    trie = NgramTrie(vocabulary)
    counts = [
        sum((np.bincount(part, minlength=vocabulary) for _, part in _blocks(words)), np.zeros(vocabulary, np.int64))
    ]
    rows = words
    for size in range(2, order + 1):
        keys, seen = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for start, part in _blocks(rows):
            some = _keys(part, start, words, size, vocabulary)
            keys, seen = _merged(keys, seen, some[some != NOWHERE])
            if len(keys) > MOST_NGRAMS:
                raise _too_many(f"n-grams of {size} words", MOST_NGRAMS)
        trie.keys.append(keys)
        counts.append(seen)
        if size < order:
            path = folder / f"rows{size}"
            with open(path, "wb") as file:
                for start, part in _blocks(rows):
                    file.write(trie._find(size, _keys(part, start, words, size, vocabulary)).tobytes())
            rows = np.memmap(path, np.int64, "r")
    return trie, counts


def _keys(rows: Rows, start: int, words: Rows, size: int, vocabulary: int) -> Rows:
    """Keys [N] of the n-grams of `size` that begin at start, start + 1, …; `rows` [N] are their beginnings."""
    last = np.asarray(words[start + size - 1 : start + size - 1 + len(rows)])
    before = np.asarray(words[start + size - 2 : start + size - 2 + len(rows)])[: len(last)]
    rows = np.asarray(rows)
    keys = np.full(len(rows), NOWHERE, np.int64)
    whole = (rows[: len(last)] != NOWHERE) & (before != _END)
    keys[: len(last)][whole] = rows[: len(last)][whole] * vocabulary + last[whole]
    return keys


def _blocks(rows: Rows) -> Iterator[tuple[int, Rows]]:
    for start in range(0, len(rows), _BLOCK):
        yield start, np.asarray(rows[start : start + _BLOCK])


def _merged(keys: Rows, seen: Rows, some: Rows) -> tuple[Rows, Rows]:
    new, counts = np.unique(some, return_counts=True)
    both, places = np.unique(np.concatenate([keys, new]), return_inverse=True)
    total = np.zeros(len(both), np.int64)
    total[places[: len(keys)]] = seen
    total[places[len(keys) :]] += counts
    return both, total


def _adjusted(trie: NgramTrie, counts: list[Rows]) -> list[Rows]:
    """What Kneser and Ney count below the highest order: how many different words come before; all of it at a beginning."""
    adjusted = []
    for size in range(1, trie.order):
        before = np.bincount(trie.endings(size + 1), minlength=len(trie.keys[size - 1]))
        first = trie.spelt(size)[:, 0]
        adjusted.append(np.where(first == _BEGIN, counts[size - 1], before))
    return [*adjusted, counts[-1]]


def _smoothed(
    vocabulary: tuple[str, ...], trie: NgramTrie, counts: list[Rows], adjusted: list[Rows], thresholds: tuple[int, ...]
) -> NgramEstimate:
    """Probabilities of all n-grams that are kept, interpolated with those of their endings."""
    discounts = [_discounts(a[_predicted(trie, size)]) for size, a in enumerate(adjusted, 1)]
    seen = np.where(_predicted(trie, 1), adjusted[0], 0)
    taken = _taken(seen, discounts[0])
    # What is taken from the words goes to all of them alike, the unknown one among them; a beginning is never predicted.
    uniform = taken.sum() / seen.sum() / (len(vocabulary) - 1)
    first = (seen - taken) / seen.sum() + uniform
    first[_BEGIN] = 0.0
    probability, backoff = [first], []
    kept = [np.ones(len(vocabulary), bool)]
    for size in range(2, trie.order + 1):
        beginnings, counted = trie.beginnings(size), adjusted[size - 1].astype(np.float64)
        keep = (counts[size - 1] > thresholds[size - 1]) & kept[-1][beginnings]
        kept.append(keep)
        left = np.where(keep, _taken(adjusted[size - 1], discounts[size - 1]), counted)
        rows = len(trie.keys[size - 2])
        total = np.bincount(beginnings, counted, rows)
        weight = np.divide(np.bincount(beginnings, left, rows), total, out=np.ones(rows), where=total > 0)
        backoff.append(weight)
        lower = probability[-1][trie.endings(size)]
        probability.append((counted - left) / total[beginnings] + weight[beginnings] * lower)
    backoff.append(np.ones(len(trie.keys[-1])))
    return _without(NgramEstimate(vocabulary, trie, probability, backoff, discounts), kept)


def _predicted(trie: NgramTrie, size: int) -> NDArray[np.bool_]:
    """Rows of an order whose last word is one that can follow: all but a beginning."""
    return np.not_equal(trie.last_words(size), _BEGIN)


def _discounts(counts: Rows) -> Floats:
    """What is taken from n-grams counted once, twice and more often: [0, D1, D2, D3]."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == times)) for times in (1, 2, 3, 4))
    fallback = np.array([0.0, 0.5, 1.0, 1.5])
    if not (n1 and n2 and n3):
        return fallback
    y = n1 / (n1 + 2 * n2)
    found = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    return found if ((found[1:] > 0) & (found[1:] <= (1, 2, 3))).all() else fallback


def _taken(counts: Rows, discounts: Floats) -> Floats:
    return np.minimum(discounts[np.minimum(counts, 3)], counts)


def _without(model: NgramEstimate, kept: list[NDArray[np.bool_]]) -> NgramEstimate:
    """The model without its pruned rows, numbered anew."""
    trie = NgramTrie(model.trie.words)
    number = np.arange(model.trie.words)
    for size in range(2, model.trie.order + 1):
        keep = kept[size - 1]
        beginnings = number[model.trie.beginnings(size)[keep]]
        trie.keys.append(beginnings * trie.words + model.trie.last_words(size)[keep])
        number = np.cumsum(keep) - 1
    probability = [values[keep] for values, keep in zip(model.probability, kept, strict=True)]
    backoff = [values[keep] for values, keep in zip(model.backoff, kept, strict=True)]
    return NgramEstimate(model.vocabulary, trie, probability, backoff, model.discounts)


def _too_many(what: str, most: int) -> TextError:
    return TextError(
        f"the text holds too many different {what}",
        expected=f"at most {most}",
        remedy="Take less text, or a lower order.",
    )
