"""Decoder: everything that turns a recogniser's outputs into text, set once: beams, hot words, language model, lexicon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from voxgraft.errors import TextError
from voxgraft.inference.recogniser.decoders.decode import BeamOptions, Hypothesis, greedy_labels
from voxgraft.inference.recogniser.decoders.search import start_search
from voxgraft.inference.recogniser.decoders.word_model import WordModel
from voxgraft.inference.recogniser.labels import Labels

if TYPE_CHECKING:
    from voxgraft.inference.recogniser.decoders.flashlight import LexiconDecoder


class Search(Protocol):
    """Text from frames as they come."""

    def push(self, log_probs: np.ndarray) -> None:
        """The next frames, float [T, V]."""

    @property
    def stable(self) -> tuple[int, ...]:
        """The labels that nothing that comes can change."""

    @property
    def best(self) -> tuple[int, ...]:
        """The likeliest labels so far."""

    def finish(self, most: int = 1) -> list[Hypothesis]:
        """The best texts of all that was pushed, best first."""


class GreedySearch:
    """The likeliest path as frames come: all of it is stable."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._found: list[int] = []
        self._last: np.ndarray | None = None
        self._score = 0.0

    def push(self, log_probs: np.ndarray) -> None:
        """The next frames, float [T, V]."""
        if not len(log_probs):
            return
        joined = log_probs if self._last is None else np.concatenate([self._last, log_probs])
        new = greedy_labels(joined, self._labels)
        # The frame before goes along to tell a repeat from a new label; what it spelt was counted already.
        if self._last is not None and greedy_labels(self._last, self._labels):
            new = new[1:]
        self._found += new
        self._score += float(np.max(log_probs, axis=1).sum())
        self._last = np.asarray(log_probs[-1:])

    @property
    def stable(self) -> tuple[int, ...]:
        """All labels so far."""
        return tuple(self._found)

    @property
    def best(self) -> tuple[int, ...]:
        """All labels so far."""
        return tuple(self._found)

    def finish(self, most: int = 1) -> list[Hypothesis]:
        """The text, with the logarithm of its path's probability."""
        return [Hypothesis(self._labels.text(self._found), self._score, tuple(self._found))][:most]


@dataclass(frozen=True)
class Decoder:
    """`options.beams` 1 without a language model or hot words takes the likeliest path. `lexicon` decodes whole pieces
    through flashlight-text and can't stream. `most` alternatives are given."""

    labels: Labels
    options: BeamOptions = field(default_factory=BeamOptions)
    language_model: WordModel | None = None
    lexicon: LexiconDecoder | None = None
    most: int = 1

    def __post_init__(self) -> None:
        if self.language_model is not None and not self.labels.has_words:
            raise TextError(
                "this recogniser's symbols have nothing that separates words, so a model of words can't help it",
                field="language model",
                remedy="Leave --lm out.",
            )

    def start(self) -> Search:
        """A search of its own for each piece of sound."""
        plain = self.options.beams == 1 and not self.options.hot_words and self.language_model is None
        if plain:
            return GreedySearch(self.labels)
        words = self.language_model.start() if self.language_model is not None else None
        return start_search(self.labels, self.options, words)

    def decode(self, log_probs: np.ndarray) -> list[Hypothesis]:
        """The best texts of float [T, V], best first."""
        if self.lexicon is not None:
            return self.lexicon.decode(log_probs, self.most)
        search = self.start()
        search.push(log_probs)
        return search.finish(self.most)
