"""From a recogniser's log-probabilities to text: the best path, or a prefix beam search with hot words.

Letters: T frames, V outputs, B beams, K labels that are tried in a frame. Probabilities are natural logarithms.
Source: Hannun et al. 2014, First-Pass Large Vocabulary Continuous Speech Recognition (https://arxiv.org/abs/1408.2873).
Our own: hot words, bytes and sound as it comes in, without a compiler, quicker than pyctcdecode (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from voxgraft.errors import CheckpointError
from voxgraft.inference.recogniser.decoders.automaton import Automaton, hot_word_automaton, utf8_automaton
from voxgraft.inference.recogniser.decoders.prefix_tree import PrefixTree
from voxgraft.inference.recogniser.labels import Labels

_NEVER = -np.inf
_COMPACT_NODES = 1 << 14


@dataclass(frozen=True)
class BeamOptions:
    """How wide to search. A frame tries its `top_labels` likeliest labels, but none after those that reach `label_mass`
    of the probability and none under `label_floor` (a probability); the likeliest is always tried. A beam more than
    `beam_drop` (a logarithm) behind the best is dropped. `hot_words` maps words to what they gain."""

    beams: int = 100
    top_labels: int = 40
    label_mass: float = 0.9999
    label_floor: float = 0.0067
    beam_drop: float = 10.0
    hot_words: Mapping[str, float] = field(default_factory=dict)


EXHAUSTIVE = BeamOptions(1 << 30, 1 << 30, 1.0, 0.0, np.inf)


class Hypothesis(NamedTuple):
    """A text with its score (logarithm, language model and hot words included) and the likeliest labels that spell it."""

    text: str
    score: float
    labels: tuple[int, ...]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Float [T, V] as logarithms of probabilities, float32; what already is one stays as it is."""
    logits = np.asarray(logits, np.float32)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def greedy_labels(log_probs: np.ndarray, labels: Labels) -> tuple[int, ...]:
    """The labels of the likeliest path: repeats joined, blanks left out."""
    return collapsed(np.argmax(speakable(log_probs, labels), axis=1), labels.blank)


def collapsed(path: np.ndarray, blank: int) -> tuple[int, ...]:
    """The labels that a path of outputs [T] spells: repeats joined, blanks left out."""
    changes = np.concatenate(([True], path[1:] != path[:-1])) if len(path) else np.zeros(0, bool)
    return tuple(int(label) for label in path[changes & (path != blank)])


def greedy(log_probs: np.ndarray, labels: Labels) -> str:
    """The text of the likeliest path through float [T, V]."""
    return labels.text(greedy_labels(log_probs, labels))


class BeamSearch:
    """Prefix beam search that takes its frames as they come: any pieces give what the whole gives. All beams go a frame at
    once, in arrays, which pays where they are many: without a language model."""

    def __init__(self, labels: Labels, options: BeamOptions | None = None) -> None:
        self.labels = labels
        self.options = options or BeamOptions()
        self.frames = 0
        self._automata = automata_of(labels, self.options)
        self._tree = PrefixTree(len(labels), labels.blank, [a.start for a in self._automata])
        self._tree.slot[0] = 0
        self._node = np.zeros(1, np.int64)
        self._blank, self._label = np.zeros(1), np.full(1, _NEVER)  # ends in a blank, in its last label: [B]
        self._column = np.full(len(labels), -1, np.int64)

    def push(self, log_probs: np.ndarray) -> None:
        """The next frames, float [T, V]."""
        log_probs = speakable(log_probs, self.labels)
        tried, ends = tried_labels(log_probs, self.labels.blank, self.options)
        for frame, (first, last) in zip(log_probs.astype(np.float64), pairwise(ends), strict=True):
            candidates = tried[first:last]
            if len(candidates):
                self._extend(frame, candidates)
            else:
                self._stay(frame)
            self.frames += 1
        if self._tree.count > _COMPACT_NODES:
            self._node = self._tree.compact(self._node)

    @property
    def stable(self) -> tuple[int, ...]:
        """The labels that all beams begin with: nothing that comes can change them."""
        tree = self._tree
        return (*tree.committed, *tree.sequence(tree.common_ancestor(self._node)))

    @property
    def best(self) -> tuple[int, ...]:
        """The labels of the best beam so far."""
        scores = np.logaddexp(self._blank, self._label) + self._tree.bonus[self._node]
        return (*self._tree.committed, *self._tree.sequence(int(self._node[np.argmax(scores)])))

    def finish(self, most: int = 1) -> list[Hypothesis]:
        """The best texts of all that was pushed; sequences that spell the same are one, their probabilities added."""
        ended = np.logaddexp(self._blank, self._label) + self._tree.bonus[self._node]
        scores = ended + self._closing_gains()
        # Where no beam may end here, as in the middle of a character, they count as they are.
        scores = scores if np.isfinite(scores).any() else ended
        order = np.argsort(-scores, kind="stable")
        sequences = (
            (float(scores[beam]), (*self._tree.committed, *self._tree.sequence(int(self._node[beam]))))
            for beam in order
        )
        return hypotheses(self.labels, sequences, most)

    def _stay(self, frame: np.ndarray) -> None:
        """A frame that goes on with no beam: blanks and repeats only."""
        last = self._tree.label[self._node]
        self._blank, self._label = (
            np.logaddexp(self._blank, self._label) + frame[self.labels.blank],
            np.where(last == self.labels.blank, _NEVER, self._label + frame[last]),
        )
        ranks = np.logaddexp(self._blank, self._label) + self._tree.bonus[self._node]
        kept = ranks >= ranks.max() - self.options.beam_drop
        if not kept.all():
            self._tree.slot[self._node] = -1
            self._node, self._blank, self._label = self._node[kept], self._blank[kept], self._label[kept]
            self._tree.slot[self._node] = np.arange(len(self._node))

    def _extend(self, frame: np.ndarray, candidates: np.ndarray) -> None:
        """A frame: every beam stays as it is or goes on with one of `candidates` [K]."""
        tree, node = self._tree, self._node
        last, parent = tree.label[node], tree.parent[node]
        total = np.logaddexp(self._blank, self._label)
        longer = total[:, None] + frame[candidates]
        self._column[candidates] = np.arange(len(candidates))
        column = self._column[last]
        repeats = np.flatnonzero(column >= 0)
        longer[repeats, column[repeats]] = self._blank[repeats] + frame[last[repeats]]
        blank = total + frame[self.labels.blank]
        label = np.where(last == self.labels.blank, _NEVER, self._label + frame[last])
        # A beam that goes on to what another beam already is adds to that one.
        origin = np.where(parent >= 0, tree.slot[parent], -1)
        joined = repeats[origin[repeats] >= 0]
        label[joined] = np.logaddexp(label[joined], longer[origin[joined], column[joined]])
        longer[origin[joined], column[joined]] = _NEVER
        self._column[candidates] = -1
        stays = np.logaddexp(blank, label) + tree.bonus[node]
        gains = self._gains(candidates)
        ranks = np.concatenate([stays, (longer + gains).ravel()])
        kept = _best_places(ranks, self.options)
        staying, going = kept[kept < len(node)], kept[kept >= len(node)] - len(node)
        beam, choice = going // len(candidates), going % len(candidates)
        tree.slot[node] = -1
        grown = self._grow(node[beam], candidates[choice], gains[beam, choice])
        self._node = np.concatenate([node[staying], grown])
        self._blank = np.concatenate([blank[staying], np.full(len(going), _NEVER)])
        self._label = np.concatenate([label[staying], longer[beam, choice]])
        tree.slot[self._node] = np.arange(len(self._node))

    def _gains(self, candidates: np.ndarray) -> np.ndarray:
        """The bonus of every beam with every candidate: [B, K]."""
        tree, node = self._tree, self._node
        gains = np.repeat(tree.bonus[node][:, None], len(candidates), axis=1)
        for automaton, states in zip(self._automata, tree.states, strict=True):
            gains += automaton.gain[states[node][:, None], candidates]
        return gains

    def _grow(self, parents: np.ndarray, labels: np.ndarray, bonus: np.ndarray) -> np.ndarray:
        """The nodes of longer sequences, with all that belongs to the new ones filled in."""
        tree = self._tree
        numbers, new = tree.children(parents, labels)
        if not new.any():
            return numbers
        fresh, parents, labels = numbers[new], parents[new], labels[new]
        tree.bonus[fresh] = bonus[new]
        for automaton, states in zip(self._automata, tree.states, strict=True):
            states[fresh] = automaton.following[states[parents], labels]
        return numbers

    def _closing_gains(self) -> np.ndarray:
        tree, node = self._tree, self._node
        gains = np.zeros(len(node))
        for automaton, states in zip(self._automata, tree.states, strict=True):
            gains += automaton.closing[states[node]]
        return gains


def hypotheses(labels: Labels, found: Iterable[tuple[float, tuple[int, ...]]], most: int) -> list[Hypothesis]:
    """The `most` best texts of label sequences with their scores, the best first; those that spell the same are one."""
    texts: dict[str, Hypothesis] = {}
    for score, sequence in found:
        if score == _NEVER:
            continue
        text = labels.text(sequence)
        known = texts.get(text)
        total = score if known is None else float(np.logaddexp(known.score, score))
        texts[text] = Hypothesis(text, total, sequence if known is None else known.labels)
    best = sorted(texts.values(), key=lambda hypothesis: -hypothesis.score)
    return best[:most] or [Hypothesis("", _NEVER, ())]


def automata_of(labels: Labels, options: BeamOptions) -> list[Automaton]:
    found = [utf8_automaton(labels)] if labels.bytes else []
    return [*found, hot_word_automaton(options.hot_words, labels)] if options.hot_words else found


def speakable(log_probs: np.ndarray, labels: Labels) -> np.ndarray:
    """Float [T, V], checked, with nothing left for outputs that write nothing. Raises CheckpointError."""
    log_probs = np.asarray(log_probs)
    if log_probs.ndim != 2 or log_probs.shape[1] != len(labels):
        raise CheckpointError(
            "these outputs do not belong to these symbols",
            expected=f"frames of {len(labels)} values",
            got=f"an array of shape {log_probs.shape}",
            remedy="Take the settings that were exported with this model.",
        )
    if np.isnan(log_probs).any():
        raise CheckpointError("the model gives no numbers (NaN)", remedy="Its weights are damaged: export it again.")
    if len(labels.silent):
        log_probs = log_probs.copy()
        log_probs[:, labels.silent] = _NEVER
    return log_probs


def tried_labels(log_probs: np.ndarray, blank: int, options: BeamOptions) -> tuple[np.ndarray, list[int]]:
    """The labels, without the blank, that each frame is worth trying with, the likeliest first, one frame after another; and
    where each frame's begin, with the end of all."""
    count = len(log_probs)
    if not count:
        return np.zeros(0, np.int64), [0]
    # Only few are near the floor: those alone are put in order.
    likely = log_probs >= (math.log(options.label_floor) - 0.01 if options.label_floor > 0 else _NEVER)
    likely[np.arange(count), log_probs.argmax(axis=1)] = True
    frames, labels = np.nonzero(likely)
    values = log_probs[frames, labels].astype(np.float64)
    order = np.lexsort((-values, frames))
    labels, values = labels[order], values[order]
    firsts = np.searchsorted(frames, np.arange(count))[frames]
    rank, shares = np.arange(len(frames)) - firsts, np.exp(values)
    worth = (shares >= options.label_floor) & (rank < options.top_labels)
    if options.label_mass < 1:
        before = np.cumsum(shares) - shares
        worth &= before - before[firsts] < options.label_mass
    worth |= rank == 0
    worth &= np.isfinite(values) & (labels != blank)
    return labels[worth], [0, *np.cumsum(np.bincount(frames[worth], minlength=count)).tolist()]


def _best_places(ranks: np.ndarray, options: BeamOptions) -> np.ndarray:
    """Where the best `beams` of `ranks` are that are not too far behind."""
    kept = np.flatnonzero(ranks >= ranks.max() - options.beam_drop) if options.beam_drop < np.inf else None
    if kept is None:
        kept = np.flatnonzero(ranks > _NEVER)
    if len(kept) > options.beams:
        kept = np.sort(kept[np.argpartition(-ranks[kept], options.beams - 1)[: options.beams]])
    return kept
