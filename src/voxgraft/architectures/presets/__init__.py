"""Sizes of networks that are trained from scratch, a file a family: keyword arguments by the name of the size."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from voxgraft.errors import ConfigError


def preset_of(family: str, size: str) -> dict[str, Any]:
    """Keyword arguments of a family's network, without symbols, mels, speakers and languages.

    ConfigError where the family has no such size.
    """
    known: Mapping[str, Mapping[str, Any]] = import_module(f"voxgraft.architectures.presets.{family}").PRESETS
    if size in known:
        return dict(known[size])
    raise ConfigError(
        "there is no such size",
        field="size",
        expected=", ".join(known),
        got=f"{size} of {family}",
        remedy="Choose one of these sizes.",
    )
