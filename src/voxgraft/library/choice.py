"""Choice: a base that could be picked, wherever it is: in the library, in an installed package or in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from voxgraft.library.catalogue import Base, Catalogue
from voxgraft.library.entry import Entry, Slot
from voxgraft.library.installed import InstalledVoice
from voxgraft.library.languages import plain_language
from voxgraft.library.store import Library


@dataclass(frozen=True)
class Choice:
    """What picking looks at. `whole`: it has all that training needs. `path` is None for what must be fetched first."""

    name: str
    where: str
    slot: Slot
    family: str | None = None
    sample_rate: int | None = None
    licence: str | None = None
    step: int | None = None
    epoch: int | None = None
    whole: bool = False
    generic: bool = False
    chosen: bool = False
    path: Path | None = None
    size: int | None = None
    by_hand: str | None = None


def from_library(library: Library, entries: Iterable[Entry]) -> list[Choice]:
    """The bases that are in the library."""
    return [
        Choice(
            entry.name, "library", entry.slot, entry.family, entry.sample_rate, entry.licence, entry.step, entry.epoch,
            not entry.missing, entry.generic, entry.chosen, library.path(entry), entry.size,
        )
        for entry in entries
    ]  # fmt: skip


def from_installed(voices: Iterable[InstalledVoice], catalogue: Catalogue) -> list[Choice]:
    """Voices of installed packages; their voice types are what the catalogue says of the same voice."""
    return [
        Choice(
            voice.name, "installed", Slot(voice.language, _voice_type(voice, catalogue), voice.quality), "vits",
            voice.sample_rate, voice.licence, path=voice.path, size=voice.size,
        )
        for voice in voices
    ]  # fmt: skip


def from_catalogue(bases: Iterable[Base]) -> list[Choice]:
    """What could be fetched."""
    return [
        Choice(
            base.name, "catalogue", base.slot, base.family, base.sample_rate, base.licence, base.step, base.epoch,
            base.kind == "checkpoint", base.generic, base.default, None, base.size, base.by_hand,
        )
        for base in bases
    ]  # fmt: skip


def _voice_type(voice: InstalledVoice, catalogue: Catalogue) -> str | None:
    if voice.speakers > 1:
        return "other"
    if voice.language is None or voice.dataset is None:
        return None
    name = f"tts_models/{plain_language(voice.language)}/{voice.dataset}/vits-{voice.quality}-onnx"
    known = catalogue.find(name)
    return known.slot.voice_type if known else None
