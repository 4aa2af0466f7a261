"""Every path through a few frames, one by one: what a beam search that drops nothing must add up."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np

from voxgraft.inference.recogniser.decoders.decode import log_softmax
from voxgraft.inference.recogniser.labels import Labels


def letters(spelling: str, *, bytes: bool = False) -> Labels:
    """Labels of these characters, the blank last."""
    return Labels((*spelling, None), len(spelling), bytes)


def random_frames(frames: int, outputs: int, seed: int, sharpness: float = 2.0) -> np.ndarray:
    return log_softmax(np.random.default_rng(seed).normal(0, sharpness, (frames, outputs)))


def collapse(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """Repeats joined, blanks left out."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def sequence_scores(log_probs: np.ndarray, blank: int) -> dict[tuple[int, ...], float]:
    """Label sequence -> logarithm of the sum over its paths."""
    scores: dict[tuple[int, ...], float] = defaultdict(lambda: -np.inf)
    frames, outputs = log_probs.shape
    for path in itertools.product(range(outputs), repeat=frames):
        probability = float(log_probs[np.arange(frames), list(path)].astype(np.float64).sum())
        sequence = collapse(path, blank)
        scores[sequence] = float(np.logaddexp(scores[sequence], probability))
    return dict(scores)


def text_scores(log_probs: np.ndarray, labels: Labels, bonus=lambda sequence: 0.0) -> dict[str, float]:
    """Text -> logarithm of the sum over the sequences that spell it, each with its bonus; never for -inf."""
    scores: dict[str, float] = defaultdict(lambda: -np.inf)
    for sequence, score in sequence_scores(log_probs, labels.blank).items():
        total = score + bonus(sequence)
        if np.isfinite(total):
            text = labels.text(sequence)
            scores[text] = float(np.logaddexp(scores[text], total))
    return dict(scores)
