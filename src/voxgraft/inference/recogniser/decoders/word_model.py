"""WordModel: an n-gram model with weights, as a beam search asks it: by beginnings of words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.errors import TextError
from voxgraft.inference.recogniser.decoders.vocabulary import FOREIGN, GoingOn, Vocabulary
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.lm.arpa import read_arpa
from voxgraft.lm.kenlm_file import refuse_kenlm
from voxgraft.lm.model import NgramModel, State
from voxgraft.lm.trie import NOWHERE

_LN10 = math.log(10.0)
# The decimal logarithm of a word that the model doesn't know and has no probability for.
_NEVER_SEEN = -5.0
# Beginnings of words that are remembered with what goes on from them.
_MOST_REMEMBERED = 1 << 16


@dataclass(frozen=True)
class LmOptions:
    """`alpha` weighs the model against the sound, `beta` is gained by each word, `unknown` by one that it doesn't know."""

    alpha: float = 0.7
    beta: float = 1.5
    unknown: float = -5.0


def load_language_model(path: Path) -> NgramModel:
    """An ARPA file for the beam search. Raises TextError, also for KenLM's binaries and Coqui STT's scorers."""
    if not path.is_file():
        raise TextError("no such language model", file=path, remedy="Make one with `voxgraft lm TEXT -o lm.arpa`.")
    refuse_kenlm(path)
    return read_arpa(path)


class WordModel:
    """An n-gram model ready for a recogniser's labels; `start` gives the scores of one search.

    `labels` write the words in their own case: words that they write alike are the likeliest of them.
    """

    def __init__(self, model: NgramModel, labels: Labels, options: LmOptions | None = None) -> None:
        self.model = model
        self.options = options or LmOptions()
        likeliest_last = np.argsort(model.probability[0], kind="stable")
        spoken = [number for number in likeliest_last.tolist() if number not in (model.unknown, model.begin, model.end)]
        self.vocabulary = Vocabulary([model.vocabulary[number] for number in spoken], labels)
        numbers = np.array([*spoken, NOWHERE], np.int64)
        self.numbers = numbers[self.vocabulary.word]  # of each state; NOWHERE where it is no whole word
        self._going_on: dict[int, GoingOn] = {}

    def start(self) -> WordSearch:
        """The scores of one search."""
        return WordSearch(self)

    def going_on(self, state: int) -> dict[int, int]:
        """Label -> the beginning of a word that `state` becomes with it; found out as it is asked, and remembered."""
        known = self._going_on.get(state)
        if known is None:
            if len(self._going_on) >= _MOST_REMEMBERED:
                self._going_on = {}
            self._going_on[state] = known = GoingOn(self.vocabulary, state)
        return known


class WordSearch:
    """What a model says of words in one search."""

    def __init__(self, words: WordModel) -> None:
        self._model, self._options = words.model, words.options
        self._numbers, self.going_on = words.numbers, words.going_on
        self._completed: dict[tuple[State, int], tuple[float, State]] = {}
        self.foreign_gain = words.options.unknown
        self.most_gain = words.options.beta

    def begin(self) -> State:
        """The context of a sentence's first word."""
        return self._model.beginning

    def complete(self, context: State, state: int) -> tuple[float, State]:
        """What a whole word gains after a context, and the context after it."""
        known = self._completed.get((context, state))
        if known is None:
            self._completed[context, state] = known = self._asked(context, state)
        return known

    def close(self, context: State) -> float:
        """What ending after a context gains."""
        if self._model.end == NOWHERE:
            return 0.0
        return self._options.alpha * _LN10 * self._model.after(context, self._model.end)[0]

    def _asked(self, context: State, state: int) -> tuple[float, State]:
        model, options = self._model, self._options
        number = NOWHERE if state == FOREIGN else int(self._numbers[state])
        foreign = number == NOWHERE
        number = model.unknown if foreign else number
        gain = options.beta + (options.unknown if foreign else 0.0)
        if number == NOWHERE:
            return gain + options.alpha * _LN10 * _NEVER_SEEN, ()
        logarithm, after = model.after(context, number)
        return gain + options.alpha * _LN10 * logarithm, after
