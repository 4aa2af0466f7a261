"""Automaton: what a beam search gains or is forbidden by each next label, as tables; UTF-8 and hot words are two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from voxgraft.errors import TextError
from voxgraft.inference.recogniser.labels import Labels

MOST_CELLS = 1 << 26
_DEAD, _WORD_START = 0, 1


@dataclass(frozen=True)
class Automaton:
    """`following[s, v]` is the state after label v in state s, `gain[s, v]` what that adds to the score (-inf: never),
    `closing[s]` what ending in s adds. It begins in state `start`. [states, labels]"""

    following: np.ndarray
    gain: np.ndarray
    closing: np.ndarray
    start: int


class AutomatonRows:
    """An automaton as a beam search asks it, one state at a time: gains as factors, at most `most`."""

    def __init__(self, automaton: Automaton) -> None:
        self.start = automaton.start
        self.most = float(np.exp(automaton.gain.max(initial=0.0)))
        self._automaton = automaton
        self._gains: dict[int, list[float]] = {}
        self._following: dict[int, list[int]] = {}

    def gains(self, state: int) -> list[float]:
        """The factor of each label [V]."""
        if state not in self._gains:
            self._gains[state] = np.exp(self._automaton.gain[state]).tolist()
        return self._gains[state]

    def following(self, state: int) -> list[int]:
        """The state after each label [V]."""
        if state not in self._following:
            self._following[state] = self._automaton.following[state].tolist()
        return self._following[state]

    def closing(self, state: int) -> float:
        """What ending in a state adds, as a logarithm."""
        return float(self._automaton.closing[state])


def utf8_automaton(labels: Labels) -> Automaton:
    """Only bytes that go on with a valid character, as Unicode's table of well-formed sequences has it (section 3.9)."""
    # state -> [(first byte, last byte, next state)]; 0 stands between characters, 1 to 3 wait for that many bytes.
    moves: dict[int, list[tuple[int, int, int]]] = {
        0: [(0x01, 0x7F, 0), (0xC2, 0xDF, 1), (0xE0, 0xE0, 4), (0xE1, 0xEC, 2), (0xED, 0xED, 5), (0xEE, 0xEF, 2),
            (0xF0, 0xF0, 6), (0xF1, 0xF3, 3), (0xF4, 0xF4, 7)],
        1: [(0x80, 0xBF, 0)],
        2: [(0x80, 0xBF, 1)],
        3: [(0x80, 0xBF, 2)],
        4: [(0xA0, 0xBF, 1)],
        5: [(0x80, 0x9F, 1)],
        6: [(0x90, 0xBF, 2)],
        7: [(0x80, 0x8F, 2)],
    }  # fmt: skip
    following = np.zeros((len(moves), len(labels)), np.int32)
    gain = np.full((len(moves), len(labels)), -np.inf)
    for label, spelling in enumerate(labels.spellings):
        for state, ranges in moves.items() if spelling else ():
            for first, last, after in ranges:
                if first <= ord(spelling[0]) <= last:
                    following[state, label], gain[state, label] = after, 0.0
    closing = np.where(np.arange(len(moves)) == 0, 0.0, -np.inf)
    return Automaton(following, gain, closing, 0)


def hot_word_automaton(hot_words: Mapping[str, float], labels: Labels) -> Automaton:
    """Words and phrases with the natural logarithm by which each is raised (or lowered) where it stands as whole words.

    A part of it is granted at each letter and taken back when the word goes on otherwise. Raises TextError.
    """
    trie = _Trie()
    for phrase, weight in hot_words.items():
        spelt = labels.spell(phrase)
        if spelt.unknown or not spelt.labels:
            raise TextError(
                "this hot word can't be written with the recogniser's letters",
                field=phrase or "hot word",
                got=", ".join(spelt.unknown) or "nothing",
                remedy="Spell it as the recogniser's transcripts would, with its own letters.",
            )
        if not np.isfinite(weight):
            raise TextError("not a weight", field=phrase, expected="a number", got=weight, remedy="Take one such as 5.")
        trie.add("".join(labels.spellings[i] or "" for i in spelt.labels).strip(" "), float(weight))
    if len(trie.edges) * len(labels) > MOST_CELLS:
        raise TextError(
            "too many hot words",
            expected=f"at most {MOST_CELLS // len(labels)} letters together",
            got=len(trie.edges),
            remedy="Give fewer, or a language model.",
        )
    return _compiled(trie, labels)


class _Trie:
    """Words from their beginning: `edges[s]` letter -> state, `credit[s]` granted so far, `weight[s]` of a whole word."""

    def __init__(self) -> None:
        self.edges: list[dict[str, int]] = [{}, {}]
        self.credit = [0.0, 0.0]
        self.weight = [0.0, 0.0]

    def add(self, word: str, weight: float) -> None:
        state = _WORD_START
        for size, letter in enumerate(word, 1):
            if letter not in self.edges[state]:
                self.edges[state][letter] = len(self.edges)
                self.edges.append({})
                self.credit.append(0.0)
                self.weight.append(0.0)
            state = self.edges[state][letter]
            share = weight * size / len(word)
            self.credit[state] = share if abs(share) > abs(self.credit[state]) else self.credit[state]
        self.weight[state] = weight


def _compiled(trie: _Trie, labels: Labels) -> Automaton:
    """The trie over letters, its failures filled in (Aho and Corasick 1975, at word beginnings only), then over labels."""
    letters = sorted({c for s in labels.spellings if s for c in s} | {" "})
    column = {letter: number for number, letter in enumerate(letters)}
    credit, weight = np.array(trie.credit), np.array(trie.weight)
    after = np.zeros((len(trie.edges), len(letters)), np.int32)
    after[:, column[" "]] = _WORD_START
    waiting, failure = [_WORD_START], {_WORD_START: _DEAD}
    spaced: list[int] = []  # more spaces between two words of a phrase count as one
    for state in waiting:
        if state != _WORD_START:
            after[state] = after[failure[state]]
        for letter, child in trie.edges[state].items():
            failure[child] = int(after[failure[state], column[letter]])
            waiting.append(child)
        for letter, child in trie.edges[state].items():
            after[state, column[letter]] = child
            if letter == " ":
                spaced.append(child)
    after[spaced, column[" "]] = spaced
    states = np.arange(len(credit))
    gains = np.zeros(after.shape)
    gains[:] = credit[after] - credit[states][:, None]
    # A whole word is paid when it ends; a phrase that ends in another hot word pays both.
    paid = weight.copy()
    for state in waiting[1:]:
        paid[state] += paid[failure[state]]
    gains[:, column[" "]] += paid
    following = np.tile(states[:, None], (1, len(labels))).astype(np.int32)
    gain = np.zeros(following.shape)
    for label, spelling in enumerate(labels.spellings):
        for letter in spelling or "":
            gain[:, label] += gains[following[:, label], column[letter]]
            following[:, label] = after[following[:, label], column[letter]]
    return Automaton(following, gain, paid - credit, _WORD_START)
