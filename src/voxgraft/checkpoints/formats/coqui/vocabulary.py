"""Coqui TTS' vocabularies: which symbol each id means, resolved from a configuration as Coqui builds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from voxgraft.text.symbols import SymbolTable

# Coqui's default characters: punctuation, letters, and IPA in the order of its own list.
PUNCTUATION = "!'(),-.:;? "
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IPA = (
    "iyɨʉɯuɪʏʊeøɘəɵɤoɛœɜɞʌɔæɐaɶɑɒᵻʘɓǀɗǃʄǂɠǁʛpbtdʈɖcɟkɡqɢʔɴŋɲɳnɱmʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟ"
    "ˈˌːˑʍwɥʜʢʡɕʑɺɧʲ\u0303ɚ˞ɫ"
)
_SPECIALS = {"pad": "<PAD>", "eos": "<EOS>", "bos": "<BOS>", "blank": "<BLNK>"}
_MOST_SYMBOLS = 2**20

Kind = Literal["Graphemes", "IPAPhonemes", "VitsCharacters", "BaseCharacters", "BaseVocabulary"]
_LISTS = ("BaseVocabulary", "FairseqVocab")
_CLASSES = ("Graphemes", "IPAPhonemes", "VitsCharacters", "BaseCharacters", *_LISTS)


@dataclass(frozen=True)
class Vocabulary:
    """Symbols in the order of their ids, None where it can't be known, and which of them frame a text."""

    symbols: tuple[str | None, ...]
    pad: str | None = None
    eos: str | None = None
    bos: str | None = None
    blank: str | None = None

    @property
    def ids(self) -> dict[str, int]:
        """Symbol -> id: of symbols that are there twice the last counts, as in Coqui."""
        return {symbol: number for number, symbol in enumerate(self.symbols) if symbol is not None}


def vocabulary_of(config: Mapping[str, Any], notes: list[str]) -> Vocabulary | None:
    """The vocabulary that Coqui builds from a configuration; None, and noted, where it can't be built."""
    section = config.get("characters")
    section = section if isinstance(section, dict) else {}
    phonemes = bool(config.get("use_phonemes"))
    kind = str(section.get("characters_class") or ("IPAPhonemes" if phonemes else "Graphemes")).rpartition(".")[2]
    if kind not in _CLASSES:
        notes.append(f"the symbols are made by {kind[:60]}, a class of somebody else's: what its ids mean is not known")
        return None
    listed = section.get("vocab_dict")
    if kind in _LISTS or (listed and kind == "BaseCharacters"):
        return _listed(listed, section, notes)
    if kind == "VitsCharacters":
        return _vits(section, notes)
    if not section:
        return _ordered(IPA if kind == "IPAPhonemes" else LETTERS, PUNCTUATION, _SPECIALS, False, True, notes)
    characters = section.get("characters")
    if kind == "IPAPhonemes" and section.get("phonemes") is not None:
        characters = section["phonemes"]
    specials = {
        "pad": section.get("pad", _SPECIALS["pad"]),
        **{name: section.get(name) for name in ("eos", "bos", "blank")},
    }
    unique, ordered = section.get("is_unique", True), section.get("is_sorted", True)
    return _ordered(characters, section.get("punctuations"), specials, bool(unique), bool(ordered), notes)


def _listed(listed: object, section: Mapping[str, Any], notes: list[str]) -> Vocabulary | None:
    """An explicit list of symbols, or the keys of a mapping in their order."""
    symbols = _strings(listed)
    if not symbols:
        notes.append("the configuration promises a list of symbols and has none")
        return None
    return Vocabulary(symbols, **{name: _text(section.get(name)) for name in _SPECIALS})


def _vits(section: Mapping[str, Any], notes: list[str]) -> Vocabulary | None:
    """Pad, punctuation, letters and IPA as they come, blank."""
    if not section:
        section = {"characters": LETTERS, "phonemes": IPA, "punctuations": PUNCTUATION}
    characters, phonemes = _strings(section.get("characters")), _strings(section.get("phonemes"))
    punctuation, pad = _strings(section.get("punctuations")), _text(section.get("pad", _SPECIALS["pad"]))
    if not characters and not phonemes:
        notes.append("the configuration names no characters: what the ids mean is not known")
        return None
    blank = _SPECIALS["blank"]
    return Vocabulary((pad, *punctuation, *characters, *phonemes, blank), pad=pad, blank=blank)


def _ordered(
    characters: object,
    punctuations: object,
    specials: Mapping[str, Any],
    unique: bool,
    ordered: bool,
    notes: list[str],
) -> Vocabulary | None:
    """Pad, eos, bos and blank where there are any, the characters, sorted where so stated, and the punctuation."""
    letters: Iterable[str | None] = _strings(characters)
    if not letters:
        notes.append("the configuration names no characters: what the ids mean is not known")
        return None
    if unique:
        letters = tuple(dict.fromkeys(letters))
    if ordered:
        letters = sorted(letter for letter in letters if letter is not None)
    elif unique:
        letters = (None,) * len(tuple(letters))
        notes.append(
            "the characters were made unique and left unsorted: which id each had was chance, and is not recorded"
        )
    named = {name: _text(specials.get(name)) for name in _SPECIALS}
    leading = [named[name] for name in ("pad", "eos", "bos", "blank") if named[name]]
    return Vocabulary((*leading, *letters, *_strings(punctuations)), **named)


def symbol_table(config: Mapping[str, Any], rows: int, notes: list[str]) -> SymbolTable | None:
    """The symbols of an embedding of `rows` rows; None, and noted, where they can't be known."""
    vocabulary = vocabulary_of(config, notes)
    if vocabulary is None:
        return None
    ids, blank = vocabulary.ids, vocabulary.blank
    if len(vocabulary.symbols) != rows:
        notes.append(
            f"the configuration names {len(vocabulary.symbols)} symbols, the tensors have {rows}: the tensors win"
        )
        ids = {symbol: number for symbol, number in ids.items() if number < rows}
    interspersed = bool(config.get("add_blank"))
    if interspersed and blank not in ids and len(vocabulary.symbols) < rows:
        # Without a symbol for it, Coqui intersperses the id behind the last one.
        blank = _SPECIALS["blank"]
        ids[blank] = len(vocabulary.symbols)
    framed = bool(config.get("enable_eos_bos_chars"))
    kind, voice = _reading(config, notes)
    return SymbolTable(
        ids={symbol: (number,) for symbol, number in ids.items()},
        rows=rows,
        text_kind=kind,
        voice=voice,
        pad=blank if interspersed else vocabulary.pad,
        bos=vocabulary.bos if framed else None,
        eos=vocabulary.eos if framed else None,
        intersperse=interspersed,
        leading_pad=interspersed,
    )


def _reading(config: Mapping[str, Any], notes: list[str]) -> tuple[str, str | None]:
    """What goes in, and the language that reads it."""
    language = languages_of(config)[:1]
    voice = language[0] if language else None
    if not config.get("use_phonemes"):
        return "text", voice
    phonemizers = _phonemizers(config)
    if phonemizers == {"gruut"}:
        notes.append("trained on gruut's phonemes: espeak-ng writes some words otherwise")
        return "espeak", voice
    if phonemizers <= {"espeak"}:
        return "espeak", voice
    notes.append(f"trained on the phonemes of {', '.join(sorted(phonemizers))[:80]}, which voxgraft does not have")
    return "coqui", voice


def _phonemizers(config: Mapping[str, Any]) -> set[str]:
    stated = config.get("phonemizer")
    if stated != "multi_phonemizer":
        return {stated[:40]} if isinstance(stated, str) and stated else set()
    each = (dataset.get("phonemizer") for dataset in _datasets(config))
    return {name[:40] for name in each if isinstance(name, str) and name}


def languages_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Languages that a configuration names: of its phonemes, of its recordings, or its list; Coqui's codes."""
    spoken = config.get("phoneme_language")
    if isinstance(spoken, str) and spoken:
        return (spoken,)
    recorded = sorted({language for dataset in _datasets(config) if (language := _text(dataset.get("language")))})
    listed = tuple(symbol for symbol in _strings(config.get("languages")) if symbol)
    # What Coqui writes where nobody told it the language.
    return tuple(recorded) or (() if listed == ("en",) else listed)


def _datasets(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    datasets = config.get("datasets")
    return [entry for entry in datasets if isinstance(entry, dict)] if isinstance(datasets, list) else []


def _strings(value: object) -> tuple[str, ...]:
    """The characters of a text, the texts of a list, or the keys of a mapping; empty for anything else."""
    items = value if isinstance(value, str | list | tuple | dict) else ()
    if len(items) > _MOST_SYMBOLS or not all(isinstance(item, str) for item in items):
        return ()
    return tuple(items)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
