"""LexiconDecoder: only words of a list can come out, with any language model of KenLM's, through flashlight-text (extra `lm`).

A library's search, kept for what ours does not do: a closed list of words.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.errors import MissingExtra, TextError
from voxgraft.inference.recogniser.decoders.decode import BeamOptions, Hypothesis
from voxgraft.inference.recogniser.decoders.word_model import LmOptions
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.lm.estimate import BEGIN, END, UNKNOWN
from voxgraft.lm.text_file import lines_of

MOST_WORDS = 5_000_000
_LONGEST_WORD = 200
_LONGEST_LINE = 1 << 14
_NEVER = -1e4
_NOT_WORDS = frozenset({UNKNOWN, BEGIN, END})


class LexiconDecoder:
    """`words` that can't be written with the recogniser's labels are left out and counted in `unspelt`.

    `language_model` is an ARPA file or a binary of KenLM's. Raises MissingExtra, TextError.
    """

    def __init__(
        self,
        labels: Labels,
        words: Iterable[str],
        language_model: Path | None = None,
        options: BeamOptions | None = None,
        lm_options: LmOptions | None = None,
    ) -> None:
        try:
            from flashlight.lib.text import decoder, dictionary
        except ImportError:
            raise MissingExtra("flashlight-text", "lm", "decoding with a lexicon") from None
        options, lm_options = options or BeamOptions(), lm_options or LmOptions()
        self._labels = labels
        self._space = _space(labels)
        self.unspelt = 0
        spellings = self._spelt(words)
        numbers = dictionary.create_word_dict({word: [] for word in (*spellings, UNKNOWN)})
        model = _kenlm(language_model, numbers) if language_model else decoder.ZeroLM()
        # A word's own probability goes to its first letters, so that the search knows early what is likely.
        trie, start = decoder.Trie(len(labels), self._space), model.start(False)
        for word, spelling in spellings.items():
            number = numbers.get_index(word)
            trie.insert(spelling, number, model.score(start, number)[1])
        trie.smear(decoder.SmearingMode.MAX)
        settings = decoder.LexiconDecoderOptions(
            beam_size=max(2, options.beams),
            beam_size_token=max(2, min(options.top_labels, len(labels))),
            beam_threshold=min(options.beam_drop, 1e6),
            lm_weight=lm_options.alpha * math.log(10.0),
            word_score=lm_options.beta,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=decoder.CriterionType.CTC,
        )
        unknown = numbers.get_index(UNKNOWN)
        # It keeps no reference to what it was made of, so all of that stays here.
        self._kept = (numbers, model, trie)
        self._decoder = decoder.LexiconDecoder(settings, trie, model, self._space, labels.blank, unknown, [], False)

    def decode(self, log_probs: np.ndarray, most: int = 1) -> list[Hypothesis]:
        """The best texts of float [T, V], best first."""
        if not len(log_probs):
            return [Hypothesis("", 0.0, ())]
        # A word is whole with the space after it: one more frame gives the last word its own.
        ending = np.full((1, log_probs.shape[1]), _NEVER)
        ending[0, [self._space, self._labels.blank]] = 0.0
        frames = np.ascontiguousarray(np.maximum(np.concatenate([log_probs, ending]), _NEVER), np.float32)
        texts: dict[str, Hypothesis] = {}
        for result in self._decoder.decode(frames.ctypes.data, *frames.shape):
            labels = tuple(
                label for label, _ in itertools.groupby(result.tokens[1:-1]) if 0 <= label != self._labels.blank
            )
            text = self._labels.text(labels)
            texts.setdefault(text, Hypothesis(text, float(result.score), labels))
            if len(texts) == most:
                break
        return list(texts.values()) or [Hypothesis("", -math.inf, ())]

    def _spelt(self, words: Iterable[str]) -> dict[str, list[int]]:
        """Word -> its labels and the space after it."""
        spellings: dict[str, list[int]] = {}
        for word in words:
            spelt = self._labels.spell(word)
            if word in _NOT_WORDS or spelt.unknown or not spelt.labels or len(spelt.labels) > _LONGEST_WORD:
                self.unspelt += word not in _NOT_WORDS
                continue
            spellings[word] = [*spelt.labels, self._space]
            if len(spellings) > MOST_WORDS:
                raise TextError("too many words", expected=f"at most {MOST_WORDS}", remedy="Give a smaller lexicon.")
        if not spellings:
            raise TextError(
                "no word of the lexicon can be written with the recogniser's letters",
                got=f"{self.unspelt} words",
                remedy="Give words of the recogniser's language, one a line.",
            )
        return spellings


def read_words(path: Path) -> list[str]:
    """The words of a lexicon, gzipped or not: the first of each line. Raises TextError."""
    words: dict[str, None] = {}
    for number, line in enumerate(lines_of(path, _LONGEST_LINE), 1):
        try:
            fields = line.decode("utf-8-sig" if number == 1 else "utf-8").split(maxsplit=1)
        except UnicodeDecodeError as fault:
            raise TextError(
                "is not UTF-8", file=path, field=f"line {number}", remedy="Convert it to UTF-8 first."
            ) from fault
        if fields:
            words[fields[0]] = None
        if len(words) > MOST_WORDS:
            raise TextError(
                "too many words", file=path, expected=f"at most {MOST_WORDS}", remedy="Give a smaller lexicon."
            )
    return list(words)


def _space(labels: Labels) -> int:
    spaces = [number for number, spelling in enumerate(labels.spellings) if spelling == " "]
    if len(spaces) == 1 and int(labels.breaks.sum()) == 1:
        return spaces[0]
    raise TextError(
        "a lexicon needs a recogniser whose words are separated by one symbol of their own",
        field="lexicon",
        remedy="Leave --lexicon out; --lm works with this recogniser.",
    )


def _kenlm(path: Path, numbers: Any) -> Any:
    from flashlight.lib.text.decoder.kenlm import KenLM

    if not path.is_file():
        raise TextError("no such language model", file=path, remedy="Make one with `voxgraft lm TEXT -o lm.arpa`.")
    try:
        return KenLM(str(path), numbers)
    except (RuntimeError, ValueError) as fault:
        raise TextError(
            f"KenLM can't open this language model: {' '.join(str(fault).split())[:150]}",
            file=path,
            remedy="Make it again, for example with `voxgraft lm TEXT -o lm.arpa`.",
        ) from fault
