"""The families that are known: ours, then those that other packages registered under `voxgraft.families`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from voxgraft.architectures.families.family import Family
from voxgraft.errors import CheckpointError

ENTRY_POINTS = "voxgraft.families"

# A module of this package each, with a constant FAMILY.
OURS = (
    "vits",
    "glow_tts",
    "fast_pitch",
    "fastspeech2",
    "tacotron2",
    "delightful",
    "hifigan",
    "univnet",
    "vocos",
    "multiband_melgan",
    "deepspeech",
    "wav2vec2",
    "whisper",
    "fastconformer",
)


@cache
def families() -> dict[str, Family]:
    """Name -> family."""
    known = [import_module(f"voxgraft.architectures.families.{name}").FAMILY for name in OURS]
    known += [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    return {family.name: family for family in known}


def family_of(name: str) -> Family:
    """The family of that name. Raises CheckpointError where there is none."""
    if name in families():
        return families()[name]
    raise CheckpointError(
        "unknown family", field="family", expected=", ".join(families()), got=name, remedy="Name one of these families."
    )


def part_of(family: str, tensor: str) -> str:
    """The part, in words, that a tensor of a family belongs to."""
    known = family_of(family)
    return known.title_of(known.part_of(tensor))
