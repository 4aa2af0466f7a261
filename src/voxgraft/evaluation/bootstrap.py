"""Confidence intervals by resampling texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Interval = tuple[float, float, float]
Part = tuple[str, float, float]
RESAMPLES = 10_000
SEED = 0
LEVEL = 0.95
# Counts of draws that are held at once: 32 MB.
MOST_KEPT = 4_000_000


def ratio_interval(parts: Sequence[Part]) -> Interval | None:
    """Sum of numerators over sum of denominators and its 95 % percentile bootstrap interval: (value, low, high).

    A part is (text, numerator, denominator); a mean is the ratio with denominators of 1. Parts of one text (its
    several seeds) stay together, since they stand or fall with the text: whole texts are drawn with replacement.
    The draws are fixed, so equal parts give equal numbers. None where the denominators come to nothing.
    """
    sums = _sums(parts, _texts(parts))
    if not sums[:, 1].sum():
        return None
    drawn = _drawn_sums(sums)
    drawn = drawn[drawn[:, 1] > 0]
    total = sums.sum(axis=0)
    return _interval(total[0] / total[1], drawn[:, 0] / drawn[:, 1])


def change_interval(before: Sequence[Part], after: Sequence[Part]) -> Interval | None:
    """Ratio of `after` less ratio of `before` over the texts that both have, drawn in pairs: (value, low, high)."""
    shared = {text for text, _, _ in after}
    texts = [text for text in _texts(before) if text in shared]
    sums = np.hstack([_sums(before, texts), _sums(after, texts)])
    total = sums.sum(axis=0)
    if not total[1] or not total[3]:
        return None
    drawn = _drawn_sums(sums)
    drawn = drawn[(drawn[:, 1] > 0) & (drawn[:, 3] > 0)]
    return _interval(total[2] / total[3] - total[0] / total[1], drawn[:, 2] / drawn[:, 3] - drawn[:, 0] / drawn[:, 1])


def _interval(value: float, drawn: np.ndarray) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(value), float(low), float(high)


def _texts(parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(text for text, _, _ in parts))


def _sums(parts: Sequence[Part], texts: Sequence[str]) -> np.ndarray:
    """[texts, 2]: numerator and denominator of each text."""
    places = {text: place for place, text in enumerate(texts)}
    sums = np.zeros((len(texts), 2))
    for text, numerator, denominator in parts:
        if text in places:
            sums[places[text]] += numerator, denominator
    return sums


def _drawn_sums(sums: np.ndarray) -> np.ndarray:
    """[RESAMPLES, columns]: the sums of texts drawn with replacement; a large test is drawn piece by piece."""
    count = len(sums)
    if count * RESAMPLES <= MOST_KEPT:
        return _draws(count) @ sums
    random, chances = np.random.default_rng(SEED), np.full(count, 1 / count)
    piece = max(1, MOST_KEPT // count)
    sizes = [min(piece, RESAMPLES - done) for done in range(0, RESAMPLES, piece)]
    return np.concatenate([random.multinomial(count, chances, size=size) @ sums for size in sizes])


@lru_cache(maxsize=4)
def _draws(count: int) -> np.ndarray:
    """[RESAMPLES, count]: how often each text was drawn."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(float)
