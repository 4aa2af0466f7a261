"""Scores for the card of what is exported: what `voxgraft evaluate --json` printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxgraft.errors import ExportError
from voxgraft.json_file import json_fault

_REMEDY = "Give the file that `voxgraft evaluate --json` wrote."


def read_scores(path: Path) -> dict[str, Any]:
    """A file of scores. ExportError: it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise ExportError(f"not a file of scores: {json_fault(fault)}", file=path, remedy=_REMEDY) from fault
    if not isinstance(found, dict):
        raise ExportError(
            "not a file of scores", file=path, expected="a JSON object", got=type(found).__name__, remedy=_REMEDY
        )
    return found
