"""From text to ids: normalise, phonemise, encode; one Encoding a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from voxgraft.text.g2p import DEFAULT_VOICE, phonemizer
from voxgraft.text.normalise import normalise, spell_numbers, with_pauses
from voxgraft.text.symbols import Encoding, SymbolTable


def encode_text(text: str, symbols: SymbolTable, *, voice: str | None = None) -> list[Encoding]:
    """Ids of each sentence of a text; symbols that the table lacks are counted in `unknown`.

    `voice` (of espeak-ng) overrides the table's own. Raises TextError, MissingExtra.
    """
    return list(stream_text(text, symbols, voice=voice))


def stream_text(text: str, symbols: SymbolTable, *, voice: str | None = None) -> Iterator[Encoding]:
    """The same one by one: memory stays flat however long the text."""
    for sentence in read_sentences(text, symbols, voice):
        yield symbols.encode(sentence)


def describe(text: str, symbols: SymbolTable, *, voice: str | None = None) -> dict[str, object]:
    """What becomes of a text: raw, normalised, phonemes and ids of each sentence, unknown symbols with counts."""
    sentences = list(read_sentences(text, symbols, voice))
    encodings = [symbols.encode(sentence) for sentence in sentences]
    unknown: Counter[str] = sum((encoding.unknown for encoding in encodings), Counter())
    return {
        "raw": text,
        "normalised": _normalised(text, symbols, voice),
        "phonemes": ["".join(sentence) for sentence in sentences],
        "ids": [list(encoding.ids) for encoding in encodings],
        "unknown": dict(unknown.most_common()),
    }


def read_sentences(text: str, symbols: SymbolTable, voice: str | None = None) -> Iterator[list[str]]:
    """The symbols of each sentence of a text, as a table of this kind has them read; the table need not hold them all."""
    reader = phonemizer(symbols.text_kind, voice or symbols.voice or DEFAULT_VOICE)
    for sentence in reader.stream(_normalised(text, symbols, voice)):
        if sentence:
            yield _fold_case(sentence, symbols) if symbols.text_kind == "text" else sentence


def _normalised(text: str, symbols: SymbolTable, voice: str | None) -> str:
    """The text as it is read. Pauses that espeak-ng gives no mark for get one where the table asks for that; numbers become
    words where letters are read and the table has no digits."""
    text = normalise(text)
    if symbols.text_kind == "espeak":
        return with_pauses(text) if symbols.pauses else text
    language = voice or symbols.voice
    if symbols.text_kind == "text" and language and not any(symbol.isdecimal() for symbol in symbols.ids):
        return spell_numbers(text, language)
    return text


def _fold_case(sentence: list[str], symbols: SymbolTable) -> list[str]:
    """Capitals that a grapheme table lacks become small letters where it has those: many voices know only those."""
    return [
        lower if symbol not in symbols.ids and (lower := symbol.lower()) in symbols.ids else symbol
        for symbol in sentence
    ]
