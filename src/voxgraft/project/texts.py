"""Whether a project's texts suit its model: the language that they are in, and the symbols that the model knows."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voxgraft.config.run import RunConfig
from voxgraft.corpus.split import text_key
from voxgraft.errors import CorpusError, MissingExtra, TextError
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
class TextProblem:
    """What is wrong with texts, or with how they would be read; `remedy` is a sentence."""

    name: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}: {self.remedy[:1].lower()}{self.remedy[1:].removesuffix('.')}"

    def error(self, corpus: str | Path | None) -> CorpusError:
        """The same as an error of the corpus."""
        return CorpusError(self.why, file=corpus, field=self.name, remedy=self.remedy)


def too_few_texts(config: RunConfig, texts: Iterable[str], task: str) -> TextProblem | None:
    """Where there are too few different texts to learn from some and validate on others."""
    aside = not (config.recogniser.dev and config.recogniser.test)
    least = (3 if aside else 1) if task == "recogniser" else 2
    count = len({text_key(text) for text in texts})
    if count >= least:
        return None
    found = f"the recordings have {'one text' if count == 1 else f'{count} different texts'} in all"
    return TextProblem("texts", f"{found}, and training needs at least {least}", "Record or import more.")


def check_texts(
    config: RunConfig, texts: Sequence[str], symbols: SymbolTable, *, stated: Iterable[str | None] = ()
) -> tuple[tuple[TextProblem, ...], tuple[TextProblem, ...]]:
    """What of texts a voice with these symbols can't be trained on, and what is worth knowing.

    What the texts would be read as follows from `config.language`, else from the symbols; `stated` are the languages that
    the corpus says it is in.
    """
    conflict = language_conflict(config, texts, symbols, stated)
    if conflict is not None:
        return (conflict,), ()
    try:
        coverage = coverage_of(_part_of(texts), symbols)
    except MissingExtra:
        return (), ()
    except TextError as fault:
        return (TextProblem("texts", fault.summary, fault.remedy),), ()
    if not coverage.unknown:
        return (), ()
    problem = TextProblem("texts", _told(coverage), _remedy(symbols))
    return ((problem,), ()) if coverage.unknown_share > MOST_UNKNOWN else ((), (problem,))


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
) -> TextProblem | None:
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
    return TextProblem(
        "language",
        f"{how} {english_name(found)}, and no language is set, so that they would be read as {english_name(reading)} "
        f"({reading})",
        f"Set it with --set language={voice}, or keep {english_name(reading)} with --set language={reading}.",
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
        return "Take a base that knows these sounds, or name a table that has them with --symbols FILE (graft.symbols)."
    return (
        "Write the texts in letters that it knows (romanise them, spell signs out), take another base, or name a table that "
        "has these with --symbols FILE (graft.symbols)."
    )
