"""WordBeamSearch: prefix beam search with a language model of words.

A model leaves few beams that are worth going on with, one by one then costs less than all at once in arrays.
Letters: T frames, V outputs. Source: Hannun et al. 2014 (https://arxiv.org/abs/1408.2873).
Our own for what decode.py says; ctc-beam-decoder, in C++, is quicker with a model (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from voxgraft.inference.recogniser.decoders.automaton import AutomatonRows
from voxgraft.inference.recogniser.decoders.decode import (
    BeamOptions,
    Hypothesis,
    automata_of,
    hypotheses,
    speakable,
    tried_labels,
)
from voxgraft.inference.recogniser.decoders.prefix import Prefix
from voxgraft.inference.recogniser.decoders.vocabulary import FOREIGN, WORD_START
from voxgraft.inference.recogniser.labels import Labels

# Below it weights are brought up again, long before they are too small for a number.
_SMALL = 1e-60
# The least that is more than nothing.
_LEAST = 5e-324


class WordScores(Protocol):
    """What a language model says of words in one search. Gains are natural logarithms, weights included; no word gains
    more than `most_gain`. What contexts are is its own affair."""

    foreign_gain: float
    most_gain: float

    def begin(self) -> Hashable:
        """The context of a beginning."""

    def going_on(self, state: int) -> dict[int, int]:
        """Label -> the beginning of a word that `state` becomes with it, FOREIGN for what no word begins with."""

    def complete(self, context: Any, state: int) -> tuple[float, Hashable]:
        """What the whole word of a state gains after a context, and the context after it."""

    def close(self, context: Any) -> float:
        """What ending after a context gains."""


# A label that is worth trying in a frame, its probability there, and whether it ends a word.
Tried = tuple[int, float, bool]
# What a beam becomes with a label: its weight, beam, label and gain.
Longer = tuple[float, Prefix, int, float]


class WordBeamSearch:
    """Takes its frames as they come: any pieces give what the whole gives.

    Probabilities themselves are added and multiplied, which costs less than their logarithms; `_scale` is the logarithm
    of what all have been divided by.
    """

    def __init__(self, labels: Labels, words: WordScores, options: BeamOptions | None = None) -> None:
        self.labels = labels
        self.options = options or BeamOptions()
        self._words = words
        self._automata = [AutomatonRows(automaton) for automaton in automata_of(labels, self.options)]
        self._breaks = labels.breaks.tolist()
        self._first = words.going_on(WORD_START)
        self._drop = math.exp(-self.options.beam_drop)
        self._foreign = math.exp(words.foreign_gain)
        self._most = math.prod(automaton.most for automaton in self._automata)
        self._most_of_words = self._most * math.exp(max(0.0, words.most_gain))
        states = tuple(automaton.start for automaton in self._automata)
        nothing = Prefix(None, labels.blank, 1.0, states, WORD_START, self._first, words.begin())
        self._root = Prefix(nothing, labels.blank, 1.0, states, WORD_START, self._first, words.begin())
        self._root.alive, self._root.blank = True, 1.0
        self._committed: list[int] = []
        self._beams = [self._root]
        self._scale = 0.0

    def push(self, log_probs: np.ndarray) -> None:
        """The next frames, float [T, V]."""
        log_probs = speakable(log_probs, self.labels)
        frames = np.exp(log_probs.astype(np.float64))
        labels, ends = tried_labels(log_probs, self.labels.blank, self.options)
        shares = frames[np.repeat(np.arange(len(frames)), np.diff(ends)), labels]
        tried = list(zip(labels.tolist(), shares.tolist(), self.labels.breaks[labels].tolist(), strict=True))
        for frame, (first, last) in zip(frames.tolist(), pairwise(ends), strict=True):
            self._advance(frame, tried[first:last])
        self._commit()

    @property
    def stable(self) -> tuple[int, ...]:
        """The labels that all beams begin with: nothing that comes can change them."""
        return tuple(self._committed)

    @property
    def best(self) -> tuple[int, ...]:
        """The labels of the best beam so far."""
        best = max(self._beams, key=lambda beam: beam.blank + beam.ends, default=self._root)
        return (*self._committed, *best.labels())

    def finish(self, most: int = 1) -> list[Hypothesis]:
        """The best texts of all that was pushed; sequences that spell the same are one, their probabilities added."""
        ended = {beam: math.log(beam.blank + beam.ends) + self._scale for beam in self._beams}
        scores = {beam: score + self._closing_gain(beam) for beam, score in ended.items()}
        # Where no beam may end here, as in the middle of a character, they count as they are.
        scores = scores if max(scores.values(), default=-math.inf) > -math.inf else ended
        order = sorted(scores, key=lambda beam: -scores[beam])
        found = ((scores[beam], (*self._committed, *beam.labels())) for beam in order)
        return hypotheses(self.labels, found, most)

    def _advance(self, frame: list[float], tried: list[Tried]) -> None:
        """A frame of probabilities [V]: every beam stays as it is or goes on with a label."""
        blank_share = frame[self.labels.blank]
        trying = [label for label, _, _ in tried]
        weights = []
        for beam in self._beams:
            label, ends = beam.label, beam.ends
            blank = beam.next_blank = (beam.blank + ends) * blank_share
            if label in trying and (parent := beam.parent).alive:
                # A beam that goes on to what another beam already is adds to that one.
                ends += beam.gain * (parent.blank if parent.label == label else parent.blank + parent.ends)
            ends = beam.next_ends = ends * frame[label]
            weights.append(blank + ends)
        best = max(weights, default=0.0)
        longer = self._longer(tried, best * self._drop) if tried else []
        for one in longer:
            if one[0] > best:
                best = one[0]
        self._keep(weights, longer, max(best * self._drop, _LEAST))
        if 0 < best < _SMALL:
            self._rescale(best)

    def _longer(self, tried: list[Tried], floor: float) -> list[Longer]:
        """What beams become with labels that are worth trying, and may be worth keeping."""
        found: list[Longer] = []
        first, foreign, automata = self._first, self._foreign, self._automata
        # What sound alone must weigh, whatever automata and words add to it.
        least, least_of_words = floor / self._most, floor / self._most_of_words
        for beam in self._beams:
            total, last, children, going_on = beam.blank + beam.ends, beam.label, beam.children, beam.going_on
            for label, share, breaks in tried:
                weight = total * share
                if weight < least_of_words:
                    break
                if label == last:
                    weight = beam.blank * share
                if children and label in children and children[label].alive:
                    continue
                if breaks:
                    gain = (beam.whole or self._whole(beam))[0]
                    if first[label] == FOREIGN:
                        gain *= foreign
                elif weight < least:
                    continue
                elif going_on[label] != FOREIGN or beam.word == FOREIGN:
                    gain = 1.0
                else:
                    gain = foreign
                if automata:
                    for automaton, state in zip(automata, beam.states, strict=True):
                        gain *= automaton.gains(state)[label]
                weight *= gain
                if weight >= floor:
                    found.append((weight, beam, label, gain))
        return found

    def _keep(self, weights: list[float], longer: list[Longer], floor: float) -> None:
        """The best of all beams after a frame, those that stay, with their weights, and those that are longer."""
        most = self.options.beams
        if len(weights) + len(longer) > most:
            floor = max(floor, sorted([*weights, *(one[0] for one in longer)], reverse=True)[most - 1])
        kept, dropped = [], []
        for beam, weight in zip(self._beams, weights, strict=True):
            if weight >= floor:
                beam.blank, beam.ends = beam.next_blank, beam.next_ends
                kept.append(beam)
            else:
                beam.alive = False
                dropped.append(beam)
        room = most - len(kept)
        for weight, beam, label, gain in longer:
            if weight >= floor and room > 0:
                child = beam.children.get(label) or self._grown(beam, label, gain)
                child.alive, child.blank, child.ends = True, 0.0, weight
                kept.append(child)
                room -= 1
        for beam in dropped:
            if not beam.children:
                beam.bury()
        self._beams = kept

    def _rescale(self, best: float) -> None:
        for beam in self._beams:
            beam.blank, beam.ends = beam.blank / best, beam.ends / best
        self._scale += math.log(best)

    def _whole(self, beam: Prefix) -> tuple[float, Hashable]:
        """What the language model says of the word that a beam ends with: its factor, and the context after it."""
        if beam.whole is None:
            gain, after = 0.0, beam.context
            if beam.word != WORD_START:
                gain, after = self._words.complete(beam.context, beam.word)
            # What has been taken for a word that nobody knows is not taken twice.
            beam.whole = (math.exp(gain - (self._words.foreign_gain if beam.word == FOREIGN else 0.0)), after)
        return beam.whole

    def _grown(self, beam: Prefix, label: int, gain: float) -> Prefix:
        """The node of a beam with a label more."""
        states = beam.states and tuple(
            automaton.following(state)[label] for automaton, state in zip(self._automata, beam.states, strict=True)
        )
        if self._breaks[label]:
            word, context = self._first[label], self._whole(beam)[1]
        else:
            word, context = beam.going_on[label], beam.context
        beam.children[label] = child = Prefix(beam, label, gain, states, word, self._words.going_on(word), context)
        return child

    def _closing_gain(self, beam: Prefix) -> float:
        factor, context = self._whole(beam)
        gain = sum(automaton.closing(state) for automaton, state in zip(self._automata, beam.states, strict=True))
        return gain + (math.log(factor) if factor else -math.inf) + self._words.close(context)

    def _commit(self) -> None:
        """Move the root to where beams first part: what is before it is settled, and forgotten."""
        root, nothing = self._root, self._root.parent
        while not root.alive and len(root.children) == 1:
            (root,) = root.children.values()
            self._committed.append(root.label)
        self._root, root.parent = root, nothing
