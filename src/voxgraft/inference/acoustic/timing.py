"""Timing: when each symbol and each word of a text is said, by the durations that a text-to-spec model gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.inference.acoustic.acoustic import Spoken
from voxgraft.text.symbols import SymbolTable


@dataclass(frozen=True)
class Timed:
    """What is said from `begin` to `end`, in seconds; an empty `label` is silence."""

    label: str
    begin: float
    end: float


@dataclass(frozen=True)
class Timing:
    """Both rows go from 0 to `seconds` without gaps."""

    symbols: tuple[Timed, ...]
    words: tuple[Timed, ...]
    seconds: float


@dataclass(frozen=True)
class _Symbol:
    """Its label and its frames; `begins` says that a word begins after it."""

    label: str
    frames: int
    is_space: bool


def timing_of(text: str, sentences: Sequence[Spoken], symbols: SymbolTable, frame_seconds: float) -> Timing:
    """Of the sentences that a text was spoken as, one after another.

    Pads belong to the symbol before them. A word is called as the text writes it where it has as many words as the symbols
    have; a phonemizer that joins or splits some leaves them the time of their letters.
    """
    said = [symbol for sentence in sentences for symbol in _symbols(sentence, symbols)]
    total = sum(symbol.frames for symbol in said)
    timed: list[Timed] = []
    at = 0
    for symbol in said:
        if symbol.frames:
            timed.append(Timed(symbol.label, at * frame_seconds, (at + symbol.frames) * frame_seconds))
        at += symbol.frames
    words = _words(text.split(), said, frame_seconds)
    return Timing(tuple(timed), tuple(words), total * frame_seconds)


def _symbols(sentence: Spoken, table: SymbolTable) -> list[_Symbol]:
    """The symbols of a sentence with the frames of the pads that follow them; the marks at its ends are silence."""
    names = {number: symbol for symbol, numbers in table.ids.items() for number in numbers}
    marks = {table.bos: "", table.eos: "", table.pad: ""}
    found: list[_Symbol] = []
    for number, frames in zip(sentence.ids, sentence.durations, strict=True):
        name = names.get(number, "")
        if name == table.pad and found:
            last = found[-1]
            found[-1] = _Symbol(last.label, last.frames + int(frames), last.is_space)
        else:
            found.append(_Symbol(marks.get(name, name), int(frames), name == " "))
    # Sentences follow each other as words do.
    return [*found, _Symbol("", 0, True)]


def _words(words: Sequence[str], said: Sequence[_Symbol], frame_seconds: float) -> list[Timed]:
    groups = _groups(said)
    spoken = [group for group in groups if group.label]
    if len(spoken) == len(words):
        names = iter(words)
        named = [Timed(next(names) if group.label else "", group.begin, group.end) for group in groups]
    else:
        named = _shared_out(words, spoken)
    return [
        Timed(one.label, one.begin * frame_seconds, one.end * frame_seconds) for one in named if one.end > one.begin
    ]


def _groups(said: Sequence[_Symbol]) -> list[Timed]:
    """Runs of symbols between spaces, in frames; a space counts to the word before it, what is silent to none."""
    groups: list[Timed] = []
    label, begin, at = "", 0, 0
    for symbol in said:
        at += symbol.frames
        label += "" if symbol.is_space else symbol.label
        if symbol.is_space:
            if label or at > begin:
                groups.append(Timed(label, begin, at))
            label, begin = "", at
    if at > begin:
        groups.append(Timed(label, begin, at))
    return groups


def _shared_out(words: Sequence[str], spoken: Sequence[Timed]) -> list[Timed]:
    """Words over the time of all that is spoken, each as long as its share of the letters."""
    if not words or not spoken:
        return list(spoken)
    sizes = np.cumsum([0, *(max(1, len(word)) for word in words)]) / sum(max(1, len(word)) for word in words)
    symbols = np.cumsum([0, *(len(group.label) for group in spoken)]) / sum(len(group.label) for group in spoken)
    ends = np.interp(sizes, symbols, [spoken[0].begin, *(group.end for group in spoken)])
    return [Timed(word, float(ends[i]), float(ends[i + 1])) for i, word in enumerate(words)]
