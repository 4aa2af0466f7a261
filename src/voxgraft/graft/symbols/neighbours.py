"""What a symbol that the base does not know may start from: the nearest of those that it does know, with weights."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from voxgraft.graft.symbols import sounds

Weights = dict[str, float]
Features = tuple[float, ...]

MOST_NEIGHBOURS = 3
# A neighbour counts if it is at most this many times as far as the nearest, and no farther than FARTHEST.
SPREAD = 2.0
FARTHEST = 1.4
# What one unit of each feature is worth.
CONSONANT_WEIGHTS = (1.6, 1.0, 1.0, 0.8, 0.5, 0.5, 0.5, 0.35, 0.5)
VOWEL_WEIGHTS = (1.0, 0.7, 0.35, 0.4)


class Neighbourhood:
    """The symbols that a base knows, ready to be asked for the nearest to one that it does not.

    `spelled`: the symbols are letters, not the IPA; letters are then compared by the sounds that they usually stand for.
    """

    def __init__(self, known: Iterable[str], spelled: bool) -> None:
        self.spelled = spelled
        self._known = {unicodedata.normalize("NFC", symbol): symbol for symbol in known}
        self._features: dict[str, Features] = {}
        for written, symbol in self._known.items():
            found = [features_of(sound) for sound in _sounds_of(written, spelled)]
            if len(found) == 1 and found[0] is not None:
                self._features[symbol] = found[0]

    def nearest(self, symbol: str, spelled: bool) -> Weights:
        """Known symbols -> weights that add up to 1; empty where nothing is near.

        In this order: the same letter without its marks or in the other case; the nearest sounds; for a run of several
        sounds, the mean of what each is near to; for signs, the signs that are used alike.
        """
        plain = _without_marks(symbol)
        if plain != symbol or spelled:
            # A sound of the IPA may look like a letter with a mark (ç), and its capital is another sign.
            cases = (plain, symbol.lower(), plain.lower(), symbol.upper(), plain.upper()) if spelled else (plain,)
            same = next((self._known[case] for case in cases if case in self._known), None)
            if same is not None and (spelled or features_of(symbol) is None):
                return {same: 1.0}
        for sign in sounds.SIGNS.get(symbol, sounds.SIGNS.get(plain, "")):
            if sign in self._known:
                return {self._known[sign]: 1.0}
        parts = [self._nearest_sounds(sound) for sound in _sounds_of(symbol, spelled)]
        parts = [part for part in parts if part]
        total: Weights = {}
        for part in parts:
            for known, weight in part.items():
                total[known] = total.get(known, 0.0) + weight / len(parts)
        return _rounded(total)

    def _nearest_sounds(self, sound: str) -> Weights:
        if sound in self._known and (not self.spelled or sounds.SPELLED.get(sound, sound) == sound):
            return {self._known[sound]: 1.0}
        wanted = features_of(sound)
        if wanted is None:
            return {}
        found = sorted(
            (distance(wanted, features), known)
            for known, features in self._features.items()
            if len(features) == len(wanted)
        )
        if not found or found[0][0] > FARTHEST:
            return {}
        limit = min(FARTHEST, found[0][0] * SPREAD)
        if found[0][0] == 0:
            return {known: 1 / _zeros(found) for apart, known in found if apart == 0}
        near = [(apart, known) for apart, known in found if apart <= limit][:MOST_NEIGHBOURS]
        total = sum(apart**-2 for apart, _ in near)
        return {known: apart**-2 / total for apart, known in near}


def _zeros(found: list[tuple[float, str]]) -> int:
    return sum(apart == 0 for apart, _ in found)


def distance(one: Features, other: Features) -> float:
    """How far apart two sounds of one kind are; 0 is the same."""
    weights = CONSONANT_WEIGHTS if len(one) == len(CONSONANT_WEIGHTS) else VOWEL_WEIGHTS
    return math.sqrt(sum(w * (a - b) ** 2 for w, a, b in zip(weights, one, other, strict=True)))


def features_of(sound: str) -> Features | None:
    """Coordinates of one sound of the IPA: nine of a consonant, four of a vowel; None where it is neither."""
    vowel = sounds.VOWELS.get(sound)
    return tuple(map(float, vowel)) if vowel is not None else _consonants().get(sound)


@cache
def _consonants() -> Mapping[str, Features]:
    """place (0-1), closure, nasal, lateral, hissing, rolled, inwards, voiced, rounded of every consonant."""
    found = {
        sound: (place, manner, voiced == 1)
        for manner, columns in sounds.CONSONANTS.items()
        for place, column in zip(sounds.PLACES.values(), columns.split(), strict=True)
        for voiced, sound in enumerate(column if column != "." else "")
        if sound != "-" and column != "."
    }
    found |= sounds.OTHERS
    return {sound: _features(sound, *facts) for sound, facts in found.items()}


def _features(sound: str, place: float, manner: str, voiced: bool) -> Features:
    closure, nasal, lateral, hissing, rolled, inwards = sounds.MANNERS[manner]
    hissing = max(hissing, sound in sounds.HISSING)
    rolled = max(rolled, sound in sounds.R_LIKE)
    rounded = sound in sounds.ROUNDED_CONSONANTS
    return tuple(map(float, (place / 10, closure, nasal, lateral, hissing, rolled, inwards, voiced, rounded)))


def _sounds_of(written: str, spelled: bool) -> list[str]:
    """The sounds that a symbol stands for; marks, and what is no sound, are left out."""
    table = sounds.SPELLED if spelled else _SPELLED_ELSEWHERE
    found = ""
    for letter in unicodedata.normalize("NFC", written.lower() if spelled else written):
        plain = letter if letter in table or features_of(letter) is not None else _without_marks(letter)
        found += table.get(plain, plain)
    return [sound for sound in found if features_of(sound) is not None]


# Letters of other scripts have no place in the IPA; a table of it may hold them all the same.
_SPELLED_ELSEWHERE = {letter: sound for letter, sound in sounds.SPELLED.items() if features_of(letter) is None}


def _without_marks(symbol: str) -> str:
    decomposed = unicodedata.normalize("NFD", symbol)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    # Length and the like after a sound: aː is a kind of a.
    shorter = plain.rstrip(_AFTER_A_SOUND)
    return unicodedata.normalize("NFC", shorter or plain)


_AFTER_A_SOUND = "ʰʱʲʷˠˤⁿˡ˞ʼːˑ˥˦˧˨˩"


def _rounded(weights: Weights) -> Weights:
    """Four decimals, so that plans read well and repeat; what rounding loses goes to the heaviest."""
    if not weights:
        return {}
    rounded = {symbol: round(weight, 4) for symbol, weight in weights.items()}
    heaviest = max(rounded, key=lambda symbol: rounded[symbol])
    rounded[heaviest] = round(rounded[heaviest] + 1 - sum(rounded.values()), 4)
    return {symbol: weight for symbol, weight in rounded.items() if weight > 0}
