"""The families that can be trained: ours, then those that other packages registered under `voxgraft.acoustic_families`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from voxgraft.errors import TrainingError
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily

GROUP = "voxgraft.acoustic_families"
# A module of this package each, with an object FAMILY.
OURS = ("fastspeech2", "delightful", "glow_tts")


@cache
def acoustic_families() -> dict[str, AcousticFamily]:
    """Name -> what the family does its own way."""
    found = [import_module(f"voxgraft.training.tasks.acoustic.families.{name}").FAMILY for name in OURS]
    return {family.name: family for family in [*found, *(point.load() for point in entry_points(group=GROUP))]}


def acoustic_family(name: str) -> AcousticFamily:
    """The family of that name. TrainingError where nothing trains it."""
    known = acoustic_families()
    if name not in known:
        raise TrainingError(
            "this family of acoustic models can't be trained",
            field="base",
            expected=" or ".join(known),
            got=name,
            remedy="Take a base of one of these families, or train from scratch with --set acoustic.family=NAME.",
        )
    return known[name]
