"""The licence that the files beside a checkpoint state; None where none does."""

from __future__ import annotations

import re
from pathlib import Path

from voxgraft.files import open_regular

_CARDS = ("MODEL_CARD", "MODEL_CARD.md", "README.md", "card.md", "CARD.md")
_TEXTS = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")
_LICENCE = re.compile(r"^[\s*#>-]*licen[cs]e\**[ \t]*:\**[ \t]*(\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_SOURCE = re.compile(r"^[\s*#>-]*url\**[ \t]*:\**[ \t]*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_PACKAGED = re.compile(r"^License(?:-Expression)?:[ \t]*(\S.*?)\s*$", re.MULTILINE)
_MAX_BYTES = 2**18


def stated_licence(checkpoint: Path) -> tuple[str | None, str | None]:
    """(licence, URL of the source) as a model card, a licence's text or the package around the file states them."""
    for name in _CARDS:
        text = _text(checkpoint.with_name(name))
        if licence := _LICENCE.search(text):
            source = _SOURCE.search(text)
            return licence[1][:200], source[1][:500] if source else None
    for name in _TEXTS:
        if title := _text(checkpoint.with_name(name)).strip().partition("\n")[0].strip():
            return title[:200], None
    return _packaged_licence(checkpoint), None


def _packaged_licence(checkpoint: Path) -> str | None:
    """The licence of the installed distribution that lists the file."""
    path = checkpoint.absolute()
    for site in path.parents:
        if site.name not in ("site-packages", "dist-packages"):
            continue
        inside = path.relative_to(site).as_posix()
        for listing in site.glob(f"{path.relative_to(site).parts[0]}*.dist-info/RECORD"):
            if inside in _text(listing):
                licence = _PACKAGED.search(_text(listing.with_name("METADATA")))
                return licence[1][:200] if licence else None
    return None


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    with open_regular(path) as file:
        return file.read(_MAX_BYTES).decode("utf-8", errors="replace")
