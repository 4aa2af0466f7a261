"""Whether a project's texts suit its model: the language that they are in, and the symbols that the model knows."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voxgraft.config.run import RunConfig
from voxgraft.errors import MissingExtra, TextError
from voxgraft.text.encode import read_sentences
from voxgraft.text.g2p import DEFAULT_VOICE
from voxgraft.text.guess_language import contradicts, guess_language
from voxgraft.text.languages import english_name, family_of_language
from voxgraft.text.symbols import SymbolTable

# Of more texts a part is looked at: reading every one aloud takes its time.
MOST_TEXTS = 400
# Of the letters and sounds of all texts, or of one; with more unknown there is nothing to learn from.
MOST_UNKNOWN = 0.5
# espeak-ng's voices of languages whose code is no voice, or one of several.
_VOICES = {"en": "en-us", "no": "nb", "zh": "cmn"}
_SHOWN = 6


@dataclass(frozen=True)
class TextCoverage:
    """`known` counts letters and sounds that the model knows, `unknown` every symbol that it does not."""

    known: int
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def unknown_share(self) -> float:
        """Share (0-1) of the letters and sounds that are unknown; punctuation and spaces are not counted."""
        unknown = sum(count for symbol, count in self.unknown.items() if is_sound(symbol))
        return unknown / (unknown + self.known) if unknown else 0.0


@dataclass(frozen=True)
class TextsVerdict:
    """What can't be trained on, and what is worth knowing, each as `name: why: what to do`."""

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_texts(
    config: RunConfig, texts: Sequence[str], symbols: SymbolTable, *, stated: Iterable[str | None] = ()
) -> TextsVerdict:
    """Whether a voice with these symbols can be trained on texts. `stated` are the languages that the corpus says it is in.

    What the texts would be read as follows from `config.language`, else from the symbols.
    """
    conflict = language_conflict(config, texts, symbols, stated)
    if conflict is not None:
        return TextsVerdict(refusals=(conflict,))
    try:
        coverage = coverage_of(_part_of(texts), symbols)
    except MissingExtra:
        return TextsVerdict()
    except TextError as fault:
        return TextsVerdict(refusals=(f"texts: {fault.summary}: {_as_advice(fault.remedy)}",))
    if coverage.unknown_share > MOST_UNKNOWN:
        return TextsVerdict(refusals=(f"texts: {_told(coverage)}: {_remedy(symbols)}",))
    return TextsVerdict(warnings=(f"texts: {_told(coverage)}: {_remedy(symbols)}",) if coverage.unknown else ())


def coverage_of(texts: Iterable[str], symbols: SymbolTable) -> TextCoverage:
    """How much of the texts a table knows. Raises TextError, MissingExtra as reading a text does."""
    known = 0
    unknown: Counter[str] = Counter()
    for text in texts:
        for sentence in read_sentences(text, symbols):
            missing = symbols.encode(sentence).unknown
            unknown += missing
            known += sum(map(is_sound, sentence)) - sum(n for symbol, n in missing.items() if is_sound(symbol))
    return TextCoverage(known, unknown)


def is_sound(symbol: str) -> bool:
    """Whether a symbol is a letter, a sound or a digit, no punctuation and no space."""
    return any(unicodedata.category(character)[0] in "LMN" for character in symbol)


def language_conflict(
    config: RunConfig, texts: Sequence[str], symbols: SymbolTable, stated: Iterable[str | None] = ()
) -> str | None:
    """Where no language is set and the texts are in another than they would be read in: what to set; else None."""
    reading = symbols.voice or (DEFAULT_VOICE if symbols.text_kind == "espeak" else None)
    if config.language is not None or reading is None:
        return None
    ours = family_of_language(reading)
    told = {family_of_language(name) for name in stated if name}
    if len(told) == 1 and ours not in told:
        found, how = told.pop(), "the corpus says that it is in"
    else:
        guess = guess_language(texts)
        if guess is None or not contradicts(guess, ours, by_script=symbols.text_kind == "espeak"):
            return None
        found, how = guess.language or guess.usual_language, "the texts look like"
    voice = _VOICES.get(found, found)
    return (
        f"language: {how} {english_name(found)}, and no language is set, so that they would be read as "
        f"{english_name(reading)} ({reading}): set it with --set language={voice}, or keep {english_name(reading)} with "
        f"--set language={reading}"
    )


def _part_of(texts: Sequence[str]) -> Sequence[str]:
    step = -(-len(texts) // MOST_TEXTS)
    return texts[:: max(1, step)]


def _told(coverage: TextCoverage) -> str:
    shown = ", ".join(f"{_visible(symbol)!r} {count}×" for symbol, count in coverage.unknown.most_common(_SHOWN))
    more = f" and {len(coverage.unknown) - _SHOWN} more" if len(coverage.unknown) > _SHOWN else ""
    share = coverage.unknown_share
    if not share:
        return f"signs that the model does not know are left out: {shown}{more}"
    told = f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
    return f"{told} of the symbols are unknown to the model and left out: {shown}{more}"


def _visible(symbol: str) -> str:
    """A mark on the dotted circle, as nobody sees it alone."""
    return f"◌{symbol}" if unicodedata.combining(symbol[0]) else symbol


def _remedy(symbols: SymbolTable) -> str:
    if symbols.text_kind == "espeak":
        return "take a base that knows these sounds, or name a table that has them with --symbols FILE (graft.symbols)"
    return (
        "write the texts in letters that it knows (romanise them, spell signs out), take another base, or name a table that "
        "has these with --symbols FILE (graft.symbols)"
    )


def _as_advice(remedy: str) -> str:
    return (remedy[:1].lower() + remedy[1:]).removesuffix(".")
