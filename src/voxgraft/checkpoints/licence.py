"""The licence that the files beside a checkpoint state; None where none does."""

from __future__ import annotations

import re
from pathlib import Path

_CARDS = ("MODEL_CARD", "MODEL_CARD.md", "README.md", "card.md", "CARD.md")
_LICENCE = re.compile(r"^[\s*#>-]*licen[cs]e\**\s*:\**\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
_SOURCE = re.compile(r"^[\s*#>-]*url\**\s*:\**\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_MAX_BYTES = 2**18


def stated_licence(checkpoint: Path) -> tuple[str | None, str | None]:
    """(licence, URL of the source) as a model card beside the checkpoint states them."""
    for name in _CARDS:
        card = checkpoint.with_name(name)
        if not card.is_file():
            continue
        with open(card, "rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", errors="replace")
        licence, source = _LICENCE.search(text), _SOURCE.search(text)
        if licence:
            return licence[1][:200], source[1][:500] if source else None
    return None, None
