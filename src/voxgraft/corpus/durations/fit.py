"""Fit labels to symbols: both are spelt in letters, which must be the same; so every symbol gets its time.

What sounds counts: letters and digits, without case, marks, stress and length. A label may be a part of a symbol, a symbol,
several, or a word. What makes no sound (spaces, punctuation, pads) gets the time of silent labels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.corpus.durations.label import Label, Tier
from voxgraft.errors import CorpusError, shown

# Marks that belong to the sound after them; all other marks belong to the one before.
_STRESS = "ˈˌ"
_LENGTH = "ːˑ"
_MARKS = frozenset(("Mn", "Mc", "Lm", "Sk"))
PhoneMap = Mapping[str, tuple[str, ...]]


def letters(symbol: str) -> str:
    """What counts of a symbol or a label: empty for what makes no sound, and for `<TAGS>`."""
    if len(symbol) > 2 and symbol.startswith("<") and symbol.endswith(">"):
        return ""
    plain = unicodedata.normalize("NFD", symbol).casefold()
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LN" and c not in _STRESS + _LENGTH)


def fit(tier: Tier, symbols: Sequence[str], begin: float, end: float, phones: PhoneMap | None = None) -> np.ndarray:
    """When each of the symbols [N] ends, float64 [N] in seconds, rising from `begin` to `end`.

    `phones` spells labels in symbols, in one way or several. CorpusError names the first label that doesn't fit.
    """
    text = _Spelt.of(symbols)
    labels = tier.labels
    if tier.of_words and "".join(letters(label.text) for label in labels) != text.letters:
        labels = _as_words(tier, symbols)
    places = _places(tier, labels, text.letters, phones or {})
    before, after = _boundaries(labels, places, len(text.letters), begin, end)
    return _ends(text, symbols, np.clip(before, begin, end), np.clip(after, begin, end), end)


@dataclass(frozen=True)
class _Spelt:
    """All letters of a text, and for each symbol [first, last) those that are its own; `owner` is the symbol whose time a
    mark shares, its own place for any other."""

    letters: str
    first: tuple[int, ...]
    owner: tuple[int, ...]

    @staticmethod
    def of(symbols: Sequence[str]) -> _Spelt:
        keys = [letters(symbol) for symbol in symbols]
        sounds = [i for i, key in enumerate(keys) if key]
        first, owner, count = [], [], 0
        for place, (symbol, key) in enumerate(zip(symbols, keys, strict=True)):
            first.append(count)
            count += len(key)
            owner.append(place if key else _owner(symbol, place, sounds))
        return _Spelt("".join(keys), tuple(first), tuple(owner))


def _owner(symbol: str, place: int, sounds: Sequence[int]) -> int:
    at = int(np.searchsorted(sounds, place))
    if not symbol or any(unicodedata.category(c) not in _MARKS for c in symbol):
        return place
    if all(c in _STRESS for c in symbol):
        return sounds[at] if at < len(sounds) else place
    return sounds[at - 1] if at else place


def _as_words(tier: Tier, symbols: Sequence[str]) -> tuple[Label, ...]:
    """Words as the groups of symbols between spaces, where there are as many."""
    groups = [group for part in _parts(symbols) if (group := "".join(map(letters, part)))]
    spoken = [label for label in tier.labels if not label.silent]
    if len(groups) != len(spoken):
        raise CorpusError(
            "the words don't fit the text's",
            file=tier.file,
            field=tier.name,
            expected=f"{len(groups)} words",
            got=len(spoken),
            remedy="Give labels of phones, or leave durations out: the alignment is then learned.",
        )
    rest = iter(groups)
    return tuple(label if label.silent else Label(next(rest), label.start, label.end) for label in tier.labels)


def _parts(symbols: Sequence[str]) -> Iterator[list[str]]:
    """The symbols between spaces."""
    part: list[str] = []
    for symbol in symbols:
        if symbol.isspace():
            yield part
            part = []
        else:
            part.append(symbol)
    yield part


def _places(tier: Tier, labels: Sequence[Label], text: str, phones: PhoneMap) -> list[int]:
    """Where in the letters of the text each label ends [labels]; a silent one where the one before does."""
    reached: list[dict[int, int]] = [{0: 0}]
    for index, label in enumerate(labels):
        found: dict[int, int] = {}
        for place in reached[-1]:
            for spelling in _spellings(label, phones):
                if text.startswith(spelling, place):
                    found.setdefault(place + len(spelling), place)
        if not found:
            furthest = max(reached[-1])
            raise _unfit(tier, index, label, text[furthest : furthest + 12])
        reached.append(found)
    if len(text) not in reached[-1]:
        raise CorpusError(
            "the labels end before the text does",
            file=tier.file,
            field=tier.name,
            expected=f"labels for {shown(text[max(reached[-1]) :], 30)}",
            got="none",
            remedy="Check that the labels belong to this text.",
        )
    place, ends = len(text), []
    for found in reversed(reached[1:]):
        ends.append(place)
        place = found[place]
    return ends[::-1]


def _spellings(label: Label, phones: PhoneMap) -> tuple[str, ...]:
    name = label.text.strip()
    if name in phones:
        return tuple(dict.fromkeys(letters(spelling) for spelling in phones[name]))
    return ("",) if label.silent else (letters(name),)


def _unfit(tier: Tier, index: int, label: Label, rest: str) -> CorpusError:
    return CorpusError(
        f"label {shown(label.text, 20)} at {label.start:.3f} s doesn't fit the text's symbols",
        file=tier.file,
        field=tier.field(index),
        expected=f"a label that spells the beginning of {rest!r}" if rest else "nothing more",
        got=shown(label.text, 20),
        remedy="Write what each label means in symbols into phones.yaml beside the labels (`rr: [r, rʲ]`), or check the text.",
    )


def _boundaries(
    labels: Sequence[Label], places: Sequence[int], count: int, begin: float, end: float
) -> tuple[np.ndarray, np.ndarray]:
    """For each place between letters [count + 1]: when the sound before it ends, and when that after it begins."""
    before, after = np.full(count + 1, np.nan), np.full(count + 1, np.nan)
    before[0], after[count] = begin, end
    first = 0
    for label, last in zip(labels, places, strict=True):
        if last > first:
            times = np.linspace(label.start, label.end, last - first + 1)
            after[first:last] = times[:-1]
            before[first + 1 : last + 1] = times[1:]
        first = last
    return before, after


def _ends(text: _Spelt, symbols: Sequence[str], before: np.ndarray, after: np.ndarray, end: float) -> np.ndarray:
    """When each symbol ends: the gaps are divided among what is silent in them, sounds among them and their marks."""
    count, lengths = len(text.letters), [len(letters(symbol)) for symbol in symbols]
    gaps = _gaps(text, lengths)
    starts, stops = after.copy(), before.copy()
    for place in range(count + 1):
        if not gaps.get(place):
            # Nobody there to take the silence: the sounds beside it do.
            middle = stops[0] if place == 0 else end if place == count else (before[place] + after[place]) / 2
            starts[place] = stops[place] = middle
    widths = np.zeros(len(symbols))
    for place, silent in gaps.items():
        widths[silent] = (starts[place] - stops[place]) / len(silent)
    shares: dict[int, list[int]] = {}
    for place, owner in enumerate(text.owner):
        if lengths[owner]:
            shares.setdefault(owner, []).append(place)
    for owner, members in shares.items():
        first = text.first[owner]
        widths[members] = (stops[first + lengths[owner]] - starts[first]) / len(members)
    return before[0] + np.cumsum(widths)


def _gaps(text: _Spelt, lengths: Sequence[int]) -> dict[int, list[int]]:
    """Place between letters -> the silent symbols there that no mark of a sound parts from the gap."""
    found: dict[int, list[int]] = {}
    parted: set[int] = set()
    for symbol, owner in enumerate(text.owner):
        place = text.first[symbol]
        if lengths[symbol]:
            continue
        if owner != symbol:
            if owner < symbol:
                found.pop(place, None)
            else:
                parted.add(place)
        elif place not in parted:
            found.setdefault(place, []).append(symbol)
    return found
