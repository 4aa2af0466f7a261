"""Voices that are installed as Python packages, with what their settings and cards say."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.inference.voice.locate import packages_with_voices

_CARD = "MODEL_CARD"
_LICENCE = re.compile(r"^[\s*#>-]*licen[cs]e\**[ \t]*:\**[ \t]*(\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_LARGEST_CONFIG = 16 * 2**20


@dataclass(frozen=True)
class InstalledVoice:
    """A voice of a package and what its configuration says; None where it doesn't. `size` in bytes."""

    name: str
    path: Path
    language: str | None
    dataset: str | None
    quality: str | None
    sample_rate: int | None
    speakers: int
    licence: str | None
    size: int


def installed_voices() -> list[InstalledVoice]:
    """Every voice of every installed package, once, sorted by name."""
    found: dict[Path, InstalledVoice] = {}
    for package, voices in packages_with_voices():
        licence = package.metadata["License-Expression"] or package.metadata["License"]
        for path, _ in voices:
            if path not in found:
                found[path] = _described(path, licence)
    return sorted(found.values(), key=lambda voice: voice.name)


def _described(path: Path, licence: str | None) -> InstalledVoice:
    config = _config(path.with_name(f"{path.name}.json"))
    audio, language = _mapping(config, "audio"), _mapping(config, "language")
    code = language.get("code") or _mapping(config, "espeak").get("voice")
    rate, speakers, quality = audio.get("sample_rate"), config.get("num_speakers"), audio.get("quality")
    dataset = config.get("dataset")
    return InstalledVoice(
        name=path.stem,
        path=path,
        language=code if isinstance(code, str) else None,
        dataset=dataset if isinstance(dataset, str) else None,
        quality=quality if isinstance(quality, str) else None,
        sample_rate=rate if type(rate) is int else None,
        speakers=speakers if type(speakers) is int else 1,
        licence=_card_licence(path.with_name(_CARD)) or licence,
        size=path.stat().st_size,
    )


def _card_licence(card: Path) -> str | None:
    """What the voice's own card states, which the licence of the package around it may differ from."""
    with suppress(OSError):
        stated = _LICENCE.search(card.read_bytes()[: 2**18].decode("utf-8", errors="replace"))
        return stated[1][:200] if stated else None
    return None


def _config(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= _LARGEST_CONFIG:
            config = json.loads(path.read_bytes())
            return config if isinstance(config, dict) else {}
    return {}


def _mapping(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}
