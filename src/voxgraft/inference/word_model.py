"""WordModel: an n-gram model as a beam search asks it, with weights; contexts are numbers for as long as a search lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.errors import TextError
from voxgraft.inference.kenlm_file import refuse_kenlm
from voxgraft.text.arpa import read_arpa
from voxgraft.text.ngram_model import NgramModel, State
from voxgraft.text.ngram_trie import NOWHERE

_LN10 = math.log(10.0)
# A word that the model doesn't know and has no probability for.
_NEVER_SEEN = -10.0


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
    """The gains of words for one search; words are asked for in the case that the model has."""

    def __init__(self, model: NgramModel, options: LmOptions | None = None) -> None:
        self._model = model
        self._options = options or LmOptions()
        self._states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._lower = all(word == word.lower() for word in model.vocabulary[:100_000])
        self._upper = not self._lower and all(word == word.upper() for word in model.vocabulary if word[:1] != "<")
        self.foreign_gain = self._options.unknown

    def begin(self) -> int:
        """The context of a sentence's first word."""
        return self._number(self._model.beginning)

    def complete(self, context: int, word: str) -> tuple[float, int]:
        """What a word gains after a context, and the context after it."""
        model, options = self._model, self._options
        number = model.numbers.get(self._cased(word), model.unknown)
        foreign = number in (NOWHERE, model.unknown)
        gain = options.beta + (options.unknown if foreign else 0.0)
        if number == NOWHERE:
            return gain + options.alpha * _NEVER_SEEN, self._number(())
        logarithm, state = model.after(self._states[context], number)
        return gain + options.alpha * _LN10 * logarithm, self._number(state)

    def close(self, context: int) -> float:
        """What ending after a context gains."""
        if self._model.end == NOWHERE:
            return 0.0
        return self._options.alpha * _LN10 * self._model.after(self._states[context], self._model.end)[0]

    def begins_word(self, prefix: str) -> bool:
        """Whether the model knows a word that begins so."""
        return self._model.begins_word(self._cased(prefix))

    def retain(self, contexts: np.ndarray) -> np.ndarray:
        """Forget all contexts but these [N, ascending]; their new numbers."""
        self._states = [self._states[number] for number in contexts.tolist()]
        self._numbers = {state: number for number, state in enumerate(self._states)}
        return np.arange(len(self._states))

    def _number(self, state: State) -> int:
        if state not in self._numbers:
            self._numbers[state] = len(self._states)
            self._states.append(state)
        return self._numbers[state]

    def _cased(self, word: str) -> str:
        return word.lower() if self._lower else word.upper() if self._upper else word
