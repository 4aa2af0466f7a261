"""Vocabularies of vocab.json: symbol -> id, checked against the rows of the layer that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError

_MAX_SYMBOL = 200
_REMEDY = "Get vocab.json again from where the model came from."


def read_ids(vocabulary: Mapping[str, Any], path: Path) -> dict[str, int]:
    """The ids of a plain vocabulary. Raises CheckpointError for an id that is none or is there twice."""
    owners: dict[int, str] = {}
    for symbol, number in vocabulary.items():
        if type(number) is not int or number < 0 or len(symbol) > _MAX_SYMBOL:
            raise CheckpointError(
                "not an id", file=path, field=symbol[:60], expected="a number", got=str(number)[:40], remedy=_REMEDY
            )
        if number in owners:
            raise CheckpointError(
                f"id {number} has two symbols", file=path, field=symbol, got=f"also {owners[number]!r}", remedy=_REMEDY
            )
        owners[number] = symbol
    return {symbol: number for number, symbol in sorted(owners.items())}


def beyond_rows(ids: Mapping[str, int], rows: int) -> tuple[str, ...]:
    """Symbols whose ids have no row, as those that a tokenizer was given after training: no text can hold them."""
    return tuple(symbol for symbol, number in ids.items() if number >= rows)


def told_beyond(symbols: tuple[str, ...], rows: int) -> list[str]:
    """A note on symbols that have no row."""
    if not symbols:
        return []
    return [
        f"{len(symbols)} symbols have ids beyond the model's {rows} rows and are left out, such as {symbols[0][:60]!r}"
    ]


def is_nested(vocabulary: Mapping[str, Any]) -> bool:
    """Whether it holds a vocabulary a language, as MMS's does."""
    return bool(vocabulary) and all(isinstance(entry, dict) for entry in vocabulary.values())
