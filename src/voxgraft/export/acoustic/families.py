"""What is known of text-to-spec families without their networks: what can be turned, and which tables they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What may be turned, by family, in the words of a voice's settings.
CONTROLS: Mapping[str, tuple[str, ...]] = {
    "fastspeech2": ("length_scale", "pitch_scale", "energy_scale"),
    "delightful": ("length_scale", "pitch_scale"),
    "glow_tts": ("noise_scale", "length_scale"),
}


@dataclass(frozen=True)
class Tables:
    """How many speakers and languages a model tells apart; 1 where it has no table."""

    speakers: int
    languages: int


def tables_of(family: str, architecture: Mapping[str, Any]) -> Tables:
    """By the keyword arguments of its network."""
    speakers, languages = int(architecture.get("speakers") or 1), int(architecture.get("languages") or 1)
    if family == "fastspeech2":
        speakers = speakers if architecture.get("multispeaker") else 1
        languages = languages if architecture.get("multilingual") else 1
    return Tables(max(1, speakers), max(1, languages))
