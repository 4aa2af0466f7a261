"""ARPA files: n-gram models as text, as SRILM, KenLM and everybody write them. Untrusted: every size and number is checked.

Our own: arrays of numpy serve the search as they are, and a damaged file is one error that names the line.
Source: http://www.speech.sri.com/projects/srilm/manpages/ngram-format.5.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from voxgraft.errors import TextError
from voxgraft.files import replacing
from voxgraft.lm.estimate import BEGIN, END, HIGHEST_ORDER, MOST_NGRAMS, MOST_WORDS, UNKNOWN, NgramEstimate
from voxgraft.lm.model import NgramModel
from voxgraft.lm.text_file import lines_of
from voxgraft.lm.trie import NOWHERE, NgramTrie

# What stands for the logarithm of nothing.
_NOTHING = -99.0
_LONGEST_LINE = 1 << 14
_MOST_EMPTY = 1000
# Letters of all words together: a vocabulary becomes a tree of them.
_MOST_LETTERS = 1 << 27
_COUNT = re.compile(r"ngram\s+(\d{1,3})\s*=\s*(\d{1,12})")
_REMEDY = "Make it again, for example with `voxgraft lm TEXT -o lm.arpa`."
_LINES_AT_ONCE = 1 << 16


def write_arpa(model: NgramEstimate, path: Path) -> None:
    """Write a model whole or not at all."""
    words = np.array(model.vocabulary, dtype=object)
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write("\\data\\\n")
        for size, keys in enumerate(model.trie.keys, 1):
            file.write(f"ngram {size}={len(keys)}\n")
        for size in range(1, model.trie.order + 1):
            file.write(f"\n\\{size}-grams:\n")
            _write_section(file, model, size, words)
        file.write("\n\\end\\\n")


def _write_section(file: IO[str], model: NgramEstimate, size: int, words: np.ndarray) -> None:
    with np.errstate(divide="ignore"):
        probability = np.maximum(np.log10(model.probability[size - 1]), _NOTHING)
        backoff = np.maximum(np.log10(model.backoff[size - 1]), _NOTHING)
    spelt = model.trie.spelt(size)
    for start in range(0, len(spelt), _LINES_AT_ONCE):
        some = slice(start, start + _LINES_AT_ONCE)
        for p, row, b in zip(
            probability[some].tolist(), words[spelt[some]].tolist(), backoff[some].tolist(), strict=True
        ):
            tail = "" if size == model.trie.order or not b else f"\t{b:.7g}"
            file.write(f"{p:.7g}\t{' '.join(row)}{tail}\n")


def read_arpa(path: Path) -> NgramModel:
    """Read an ARPA file, gzipped or not. Raises TextError naming the line."""
    return _Reader(path, lines_of(path, _LONGEST_LINE)).read()


class _Reader:
    """Goes through an ARPA file once, a section at a time."""

    def __init__(self, path: Path, lines: Iterator[bytes]) -> None:
        self.path = path
        self.line = 0
        self.lines = self._lines(lines)

    def read(self) -> NgramModel:
        """The model."""
        counts = self._counts()
        vocabulary, probabilities, backoffs = self._words(counts[0])
        numbers = {word: number for number, word in enumerate(vocabulary)}
        if len(numbers) != len(vocabulary):
            raise self._fault("a word is there twice", field="\\1-grams:")
        trie = NgramTrie(len(vocabulary))
        all_probabilities, all_backoffs = [probabilities], [backoffs]
        for size, count in enumerate(counts[1:], 2):
            probabilities, backoffs = self._section(size, count, numbers, trie)
            all_probabilities.append(probabilities)
            all_backoffs.append(backoffs)
        if next(self.lines, None) != "\\end\\":
            raise self._fault("is cut off", expected="\\end\\")
        ends = (numbers.get(word, NOWHERE) for word in (UNKNOWN, BEGIN, END))
        return NgramModel(tuple(vocabulary), trie, tuple(all_probabilities), tuple(all_backoffs), *ends)

    def _counts(self) -> list[int]:
        """How many n-grams of each order the header promises."""
        for line in self.lines:
            if line == "\\data\\":
                break
            if self.line > 1000:
                raise self._fault("is not an ARPA file", expected="\\data\\")
        counts: list[int] = []
        for line in self.lines:
            found = _COUNT.fullmatch(line)
            if found is None:
                break
            if int(found[1]) != len(counts) + 1 or not len(counts) < HIGHEST_ORDER + 4:
                expected = f"ngram {len(counts) + 1}=…, and no n-grams of more than {HIGHEST_ORDER + 4} words"
                raise self._fault(
                    "the header doesn't count n-grams of 1, 2, 3 … words", expected=expected, got=line[:40]
                )
            if len(counts) == 0 and int(found[2]) > MOST_WORDS:
                raise self._fault("too many words", expected=f"at most {MOST_WORDS}", got=found[2])
            if not 0 <= int(found[2]) <= MOST_NGRAMS:
                raise self._fault("too many n-grams", expected=f"at most {MOST_NGRAMS}", got=found[2])
            counts.append(int(found[2]))
        if not counts or not counts[0] or line != "\\1-grams:":
            raise self._fault("is not an ARPA file", expected="counts of n-grams and \\1-grams:", got=self._last[:40])
        return counts

    def _words(self, count: int) -> tuple[list[str], np.ndarray, np.ndarray]:
        words, probabilities, backoffs, letters = [], [], [], 0
        for line in self._rows(count):
            probability, word, backoff = self._fields(line, 1)
            words.append(word[0])
            letters += len(word[0])
            if letters > _MOST_LETTERS:
                raise self._fault("its words are too long", expected=f"at most {_MOST_LETTERS} letters in all")
            probabilities.append(probability)
            backoffs.append(backoff)
        return words, np.array(probabilities, np.float32), np.array(backoffs, np.float32)

    def _section(
        self, size: int, count: int, numbers: dict[str, int], trie: NgramTrie
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read the n-grams of `size` into `trie`; their probabilities and backoffs in its order."""
        if next(self.lines, None) != f"\\{size}-grams:":
            raise self._fault(
                "a section is missing or longer than promised", expected=f"\\{size}-grams:", got=self._last[:40]
            )
        keys, probabilities, backoffs = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
        rows = self._rows(count)
        while True:
            parsed = [self._fields(line, size) for line, _ in zip(rows, range(_LINES_AT_ONCE), strict=False)]
            if not parsed:
                break
            keys.append(self._keys([words for _, words, _ in parsed], numbers, trie, size))
            probabilities.append(np.array([p for p, _, _ in parsed], np.float32))
            backoffs.append(np.array([b for _, _, b in parsed], np.float32))
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")
        if (np.diff(joined[order]) == 0).any():
            raise self._fault("an n-gram is there twice", field=f"\\{size}-grams:")
        trie.keys.append(joined[order])
        return np.concatenate(probabilities)[order], np.concatenate(backoffs)[order]

    def _keys(self, ngrams: list[list[str]], numbers: dict[str, int], trie: NgramTrie, size: int) -> np.ndarray:
        try:
            words = np.array([[numbers[word] for word in ngram] for ngram in ngrams], np.int64)
        except KeyError as fault:
            raise self._fault("an n-gram holds a word that \\1-grams: lacks", got=str(fault.args[0])[:60]) from fault
        rows = words[:, 0]
        for length in range(2, size):
            rows = trie.find(length, rows, words[:, length - 1])
        if (rows == NOWHERE).any():
            lost = " ".join(ngrams[int(np.argmin(rows))])
            raise self._fault(
                "an n-gram whose first words are no n-gram of their own", field=f"\\{size}-grams:", got=lost[:60]
            )
        return rows * trie.words + words[:, -1]

    def _fields(self, line: str, size: int) -> tuple[float, list[str], float]:
        fields = line.split()
        if len(fields) not in (size + 1, size + 2):
            raise self._fault("not an n-gram", expected=f"a number, {size} words, perhaps a number", got=line[:60])
        return (
            self._number(fields[0], 1e-3),
            fields[1 : size + 1],
            self._number(fields[-1], 99.0) if len(fields) > size + 1 else 0.0,
        )

    def _number(self, written: str, most: float) -> float:
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not number <= most:
            raise self._fault("not a logarithm", expected=f"a number up to {most:g}", got=written[:40])
        return max(number, _NOTHING)

    def _rows(self, count: int) -> Iterator[str]:
        for _ in range(count):
            line = next(self.lines, None)
            if line is None or line.startswith("\\"):
                raise self._fault("fewer n-grams than the header promises", expected=count, got=line)
            yield line

    def _lines(self, lines: Iterator[bytes]) -> Iterator[str]:
        """Lines that are not empty."""
        self._last = ""
        empty = 0
        for raw in lines:
            self.line += 1
            if len(raw) == _LONGEST_LINE:
                raise self._fault("a line too long", expected=f"under {_LONGEST_LINE} bytes")
            try:
                self._last = raw.decode("utf-8").strip()
            except UnicodeDecodeError as fault:
                raise self._fault("is not UTF-8", got=str(raw[:20])) from fault
            empty = 0 if self._last else empty + 1
            if empty > _MOST_EMPTY:
                raise self._fault(f"more than {_MOST_EMPTY} empty lines on end")
            if self._last:
                yield self._last

    def _fault(
        self, problem: str, *, field: str | None = None, expected: object = None, got: object = None
    ) -> TextError:
        return TextError(
            problem, file=self.path, field=field or f"line {self.line}", expected=expected, got=got, remedy=_REMEDY
        )
