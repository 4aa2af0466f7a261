"""JSON files of others: bounded, in UTF-8, an object at the top, no key twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError

MAX_BYTES = 64 * 2**20
_REMEDY = "Get the file again from where the model came from."


def read_object(path: Path, limit: int = MAX_BYTES) -> dict[str, Any]:
    """The object in a JSON file of at most `limit` bytes. Raises CheckpointError."""
    try:
        with open(path, "rb") as file:
            raw = file.read(limit + 1)
    except OSError as fault:
        raise CheckpointError(f"can't be read: {fault.strerror}", file=path, remedy=_REMEDY) from fault
    if len(raw) > limit:
        raise CheckpointError("far too large", file=path, expected=f"at most {limit} bytes", remedy=_REMEDY)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise CheckpointError("is there twice", file=path, field=key[:120], remedy=_REMEDY)
            found[key] = value
        return found

    try:
        document = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError as fault:
        raise CheckpointError("not UTF-8 text", file=path, remedy=_REMEDY) from fault
    except (ValueError, RecursionError) as fault:
        raise CheckpointError(f"not JSON: {str(fault)[:120]}", file=path, remedy=_REMEDY) from fault
    if not isinstance(document, dict):
        raise CheckpointError("no JSON object", file=path, got=type(document).__name__, remedy=_REMEDY)
    return document
