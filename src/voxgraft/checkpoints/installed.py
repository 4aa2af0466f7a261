"""Voices that are installed as Python packages, found by what their distributions list; nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

_CONFIG = ".onnx.json"


def installed_voices() -> dict[str, list[Path]]:
    """name -> voices: every distribution that holds any, under its name, its module's name and each voice's stem."""
    found: dict[str, list[Path]] = {}
    for distribution in metadata.distributions():
        if _CONFIG in (distribution.read_text("RECORD") or ""):
            for name, path in _voices_of(distribution):
                paths = found.setdefault(name, [])
                if path not in paths:
                    paths.append(path)
    return found


def voices_of_package(name: str) -> list[Path]:
    """Voices of one distribution, by its exact name or that of its module; empty where there is none."""
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return []
    return list(dict.fromkeys(path for _, path in _voices_of(distribution)))


def _voices_of(distribution: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    for file in distribution.files or ():
        if not file.name.endswith(_CONFIG):
            continue
        path = Path(str(distribution.locate_file(file))).with_name(file.name.removesuffix(".json"))
        if path.is_file():
            yield re.sub(r"[-_.]+", "-", distribution.name).lower(), path
            yield file.parts[0], path
            yield path.stem, path
