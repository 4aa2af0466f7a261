"""Forced alignment: which frames of a recogniser's output spell a text that is known, and how well.

Letters: T frames, V outputs, N labels, S = 2 N + 1 states (a blank before, between and after the labels). Viterbi over
the states of CTC (Graves et al. 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf, section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.errors import AudioError
from voxgraft.inference.recogniser.decoders.decode import collapsed
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.inference.recogniser.transcript import Word

MOST_CELLS = 1 << 30
_NEVER = -np.inf


@dataclass(frozen=True)
class Alignment:
    """The likeliest path that spells given labels.

    `first` and `last` [N] are the first frame of each label and one past its last; `log_probs` [N] its mean logarithm
    there. `score` is the path's mean logarithm over the frames of its labels. `margin` is by how much a frame the path
    is less likely than the likeliest path of all: 0 where the recogniser would have written the same, clearly lower
    where the text says something else. `heard` are the labels of the likeliest path of all.
    """

    labels: tuple[int, ...]
    first: np.ndarray
    last: np.ndarray
    log_probs: np.ndarray
    score: float
    margin: float
    heard: tuple[int, ...] = ()


def needed_frames(labels: Sequence[int]) -> int:
    """The fewest frames that can spell labels: one each, and a blank between two that are the same."""
    array = np.asarray(labels)
    return len(array) + int(np.count_nonzero(array[1:] == array[:-1]))


def align(log_probs: np.ndarray, labels: Sequence[int], blank: int) -> Alignment:
    """Align labels [N] to float [T, V], logarithms of probabilities. Raises AudioError where they can't fit."""
    log_probs = np.asarray(log_probs, np.float64)
    frames, needed = len(log_probs), needed_frames(labels)
    if needed > frames:
        raise AudioError(
            "the sound is too short for the text",
            expected=f"at least {needed} frames",
            got=f"{frames}",
            remedy="Check that the text belongs to the recording.",
        )
    if frames * (2 * len(labels) + 1) > MOST_CELLS:
        raise AudioError(
            "the text is too long to be aligned in one piece",
            expected=f"frames × labels up to {MOST_CELLS // 2}",
            got=f"{frames} × {len(labels)}",
            remedy="Cut the recording and its text into utterances.",
        )
    likeliest = log_probs.argmax(axis=1)
    best = float(log_probs[np.arange(frames), likeliest].sum())
    states = np.full(2 * len(labels) + 1, blank, np.int64)
    states[1::2] = labels
    path = _best_path(log_probs, states, blank)
    total = float(log_probs[np.arange(frames), states[path]].sum()) if frames else 0.0
    places = np.arange(len(labels)) * 2 + 1
    first, last = np.searchsorted(path, places, "left"), np.searchsorted(path, places, "right")
    spelling = path % 2 == 1
    sums = np.zeros(len(labels))
    np.add.at(sums, path[spelling] // 2, log_probs[np.flatnonzero(spelling), states[path[spelling]]])
    score = float(sums.sum() / spelling.sum()) if len(labels) else 0.0
    margin = (total - best) / frames if frames else 0.0
    return Alignment(
        tuple(int(label) for label in labels),
        first,
        last,
        sums / np.maximum(last - first, 1),
        score,
        margin,
        collapsed(likeliest, blank),
    )


def _best_path(log_probs: np.ndarray, states: np.ndarray, blank: int) -> np.ndarray:
    """The state of each frame: int64 [T], never falling."""
    frames, count = len(log_probs), len(states)
    # A label may follow the label before it without a blank where the two differ.
    skips = np.zeros(count, bool)
    skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    came = np.zeros((frames, count), np.int8)
    scores = np.full(count, _NEVER)
    scores[0] = 0.0
    by_one, by_two = np.full(count, _NEVER), np.full(count, _NEVER)
    emitted = log_probs[:, states] if frames * count <= 1 << 22 else None
    for frame in range(frames):
        by_one[1:] = scores[:-1]
        by_two[2:] = np.where(skips[2:], scores[:-2], _NEVER)
        if frame == 0:
            # Before the first frame only the first blank is there, and the first label needs none before it.
            by_two[:] = _NEVER
        step = came[frame]
        better = by_one > scores
        reached = np.where(better, by_one, scores)
        step[better] = 1
        better = by_two > reached
        reached[better] = by_two[better]
        step[better] = 2
        scores = reached + (emitted[frame] if emitted is not None else log_probs[frame, states])
    path = np.empty(frames, np.int64)
    state = count - 1 if count == 1 or scores[-1] >= scores[-2] else count - 2
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= int(came[frame, state])
    return path


def words_of(alignment: Alignment, labels: Labels, frame_seconds: float, offset: float = 0.0) -> tuple[Word, ...]:
    """The words of an alignment with their times in seconds from `offset`, and each word's mean probability."""
    found = []
    for word in labels.words(alignment.labels):
        some = slice(word.first, word.last)
        lengths = alignment.last[some] - alignment.first[some]
        mean = float((alignment.log_probs[some] * lengths).sum() / max(1, lengths.sum()))
        start = offset + float(alignment.first[word.first]) * frame_seconds
        end = offset + float(alignment.last[word.last - 1]) * frame_seconds
        found.append(Word(word.text, round(start, 3), round(end, 3), round(float(np.exp(mean)), 4)))
    return tuple(found)
