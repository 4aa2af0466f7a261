"""The symbols of an EveryVoice FastSpeech2: what each version of `everyvoice.text.text_processor` made of its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voxgraft.checkpoints.formats.everyvoice.settings import section
from voxgraft.text.symbols import SymbolTable

PAD = "\x80"
_FIRST = (PAD, " ")

# What stands for a kind of punctuation inside EveryVoice: since 0.3 (model version 1.2), before, and in between.
_TAGS_1_2 = (
    "<EXCL>", "<EPS>", "<QINT>", "<QUOTE>", "<PERIOD>", "<COMMA>", "<COLON>", "<SEMICOL>", "<HYPHEN>", "<PAREN>",
)  # fmt: skip
_TAGS_1_0 = ("<EXCL>", "<QINT>", "<QUOTE>", "<BB>", "<SB>", "<EPS>")
_TAGS_BETWEEN = (*_TAGS_1_0, "<PAREN>")

# What stands for itself besides, where the settings name no punctuation.
_PUNCTUATION = [*"!¡?¿\"'“”«»()[]{}.:;-—*,…"]

# Level of text -> the ending of the settings that hold its symbols.
_ENDINGS = {"characters": "characters", "phones": "phones", "phonological_features": "phones"}
_LABELLED = re.compile(r".+_(characters|phones)")


def symbol_table(hyper: Mapping[str, Any], version: tuple[int, ...], rows: int, notes: list[str]) -> SymbolTable | None:
    """The table of a model of `rows` embedding rows; None, and noted, where no version's rule gives that many."""
    symbols = _realized(hyper, rows, notes) or _derived(hyper, version, rows, notes)
    if symbols is None:
        return None
    level = section(hyper, "config", "model").get("target_text_representation_level", "characters")
    return SymbolTable(
        ids={symbol: (number,) for number, symbol in enumerate(symbols)},
        rows=rows,
        text_kind="g2p" if level == "phones" else "text",
        pad=PAD,
        bos=None,
        eos=None,
        intersperse=False,
        clusters=tuple(symbol for symbol in symbols if len(symbol) > 1),
    )


def symbols_of_settings(stated: Mapping[str, Any], level: str = "characters") -> list[str]:
    """The symbols of a model that is yet to be trained with `text.symbols`, in the order of their ids, as EveryVoice 0.5 has
    them; what is not stated is its own default."""
    return _sorted({"silence": ["<SIL>"], "punctuation": _PUNCTUATION, **stated}, _TAGS_1_2, _ENDINGS[level])


def _realized(hyper: Mapping[str, Any], rows: int, notes: list[str]) -> list[str] | None:
    """The list that versions since 1.3 keep in the file."""
    symbols = hyper.get("realized_symbols")
    if symbols is None:
        return None
    sound = isinstance(symbols, list) and all(isinstance(symbol, str) and symbol for symbol in symbols)
    if sound and len(symbols) <= rows and len(set(symbols)) == len(symbols):
        return list(symbols)
    count = len(symbols) if isinstance(symbols, list) else "no list of"
    notes.append(f"realized_symbols holds {count} symbols, which don't fit the {rows} rows of the tensors: not used")
    return None


def _derived(hyper: Mapping[str, Any], version: tuple[int, ...], rows: int, notes: list[str]) -> list[str] | None:
    """The first rule that gives as many symbols as there are rows: the version's own, then the others'."""
    config = section(hyper, "config")
    stated = section(config, "text", "symbols")
    ending = _ENDINGS.get(str(section(config, "model").get("target_text_representation_level", "characters")), "")
    now, union = (_sorted(stated, _TAGS_1_2, ending), _sorted(stated, _TAGS_1_2))
    before = [_sorted(stated, _TAGS_1_0), _sorted(stated, _TAGS_BETWEEN)]
    rules = [now, union, *before] if version >= (1, 3) else [union, now, *before]
    for symbols in rules if version >= (1, 2) else [*before, union, now]:
        if stated and len(symbols) == rows:
            notes.append("its symbols are derived from text.symbols, as the EveryVoice of its version did")
            return symbols
    notes.append(f"which symbols its {rows} rows mean is not recorded in a way that fits")
    return None


def _sorted(stated: Mapping[str, Any], tags: Iterable[str], ending: str | None = None) -> list[str]:
    """Pad and space, then all others, the longest first. `ending` leaves out the settings of another level."""
    symbols = set(tags)
    for name, listed in stated.items():
        labelled = _LABELLED.fullmatch(name)
        if labelled is None or ending in (None, labelled[1]):
            symbols |= set(_strings(listed))
    return [*_FIRST, *sorted(symbols - {*_FIRST, ""}, key=lambda symbol: (-len(symbol), symbol))]


def _strings(listed: Any) -> Iterator[str]:
    for found in listed.values() if isinstance(listed, dict) else [listed]:
        if isinstance(found, str | list):
            yield from (symbol for symbol in found if isinstance(symbol, str))
