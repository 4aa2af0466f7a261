"""YAML, bounded before anything is built: plain data only, no aliases, so many bytes, values and levels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from voxgraft.errors import CheckpointError

_MAX_BYTES = 4 * 2**20
_MAX_DEPTH = 50
_MAX_VALUES = 200_000
_REMEDY = "Get the file again from where the model came from."
# libyaml's, thirty times as fast, where PyYAML was built with it.
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Numbers and dates; whoever writes one in more characters wants to keep the reader busy.
_LONGEST_NUMBER = 400
_NUMBER = re.compile(r"[-+.]?[0-9][-+.:_0-9a-fA-FxXoO]*")
# What PyYAML's own constructors raise at `!!bool maybe`, `!!int x`, `!!timestamp soon`, `!!float ""`, beside YAMLError.
CONSTRUCTION_FAULTS = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)


def parse_yaml(raw: bytes, path: Path) -> dict[str, Any]:
    """The mapping in a document that was read from `path`. Raises CheckpointError."""
    if len(raw) > _MAX_BYTES:
        raise CheckpointError("far too large", file=path, expected=f"at most {_MAX_BYTES} bytes", remedy=_REMEDY)
    try:
        text = raw.decode("utf-8-sig")
        _check_events(text)
        document = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, *CONSTRUCTION_FAULTS) as fault:
        raise CheckpointError(f"not YAML: {_words(fault)}", file=path, remedy=_REMEDY) from fault
    if not isinstance(document, dict):
        raise CheckpointError("not a YAML mapping", file=path, got=type(document).__name__, remedy=_REMEDY)
    return document


def _check_events(text: str) -> None:
    """Go through a document without building anything of it. Raises yaml.YAMLError where it is beyond the bounds."""
    depth = values = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError(
                "it refers back to an earlier value with `*`, which is not allowed here: write the value out"
            )
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {_MAX_DEPTH} levels")
        if values > _MAX_VALUES:
            raise yaml.YAMLError(f"more than {_MAX_VALUES} values")
        if isinstance(event, yaml.ScalarEvent) and is_endless_number(event.value):
            raise yaml.YAMLError("a number of many digits")


def is_endless_number(text: str) -> bool:
    """Whether a value would be taken for a number, and be one of so many digits that working it out takes for ever."""
    return len(text) > _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def _words(fault: Exception) -> str:
    said = " ".join(str(fault).split())[:120]
    return said if isinstance(fault, yaml.YAMLError) and said else "a value is not of the kind that it is marked as"
