"""The resolved settings on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.evaluation.report.markup import Html, folded, section, tag


def settings(config: Mapping[str, Any]) -> Html:
    """Plain data as in voxgraft.yaml, folded; nothing where there is none."""
    if not config:
        return Html("")
    import yaml

    written = yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True)
    return section("settings", "Settings", folded("The resolved configuration", tag("pre", tag("code", written))))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
