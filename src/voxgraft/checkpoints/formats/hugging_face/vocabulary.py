"""Vocabularies of vocab.json: symbol -> id, checked against the rows of the layer that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError

_MAX_SYMBOL = 200
_REMEDY = "Get vocab.json again from where the model came from."


def read_ids(vocabulary: Mapping[str, Any], path: Path, rows: int | None = None) -> dict[str, int]:
    """The ids of a plain vocabulary. Raises CheckpointError for an id that is none, is there twice or has no row."""
    owners: dict[int, str] = {}
    for symbol, number in vocabulary.items():
        if type(number) is not int or number < 0 or len(symbol) > _MAX_SYMBOL:
            raise CheckpointError(
                "no id", file=path, field=symbol[:60], expected="a number", got=str(number)[:40], remedy=_REMEDY
            )
        if rows is not None and number >= rows:
            raise CheckpointError(
                "an id without a row", file=path, field=symbol, expected=f"below {rows}", got=number, remedy=_REMEDY
            )
        if number in owners:
            raise CheckpointError(
                f"id {number} has two symbols", file=path, field=symbol, got=f"also {owners[number]!r}", remedy=_REMEDY
            )
        owners[number] = symbol
    return {symbol: number for number, symbol in sorted(owners.items())}


def is_nested(vocabulary: Mapping[str, Any]) -> bool:
    """Whether it holds a vocabulary a language, as MMS's does."""
    return bool(vocabulary) and all(isinstance(entry, dict) for entry in vocabulary.values())
