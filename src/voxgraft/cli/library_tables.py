"""What `voxgraft library` lists: bases as rows, and the slots of a language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from voxgraft.library.entry import QUALITIES, VOICE_TYPES, Entry, size_words
from voxgraft.library.languages import OTHER, closeness

if TYPE_CHECKING:
    from voxgraft.library.catalogue import Base, Catalogue

Listed = TypeVar("Listed", "Entry", "Base")

ENTRY_COLUMNS = ("name", "type", "quality", "Hz", "size", "epoch, step", "licence", "lacks")
CATALOGUE_COLUMNS = ("name", "kind", "type", "quality", "Hz", "size", "licence")
SLOT_COLUMNS = ("type", "quality", "in the library", "could be fetched")


def lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Aligned columns, a line for each row however long: a thousand at once, and names that can be copied whole."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def listed(bases: Iterable[Listed], language: str | None, voice_type: str | None, quality: str | None) -> list[Listed]:
    """Those of a language (its regions too), voice type and quality; None is any."""
    return [
        base
        for base in bases
        if (language is None or closeness(language, base.slot.language) > OTHER)
        and voice_type in (None, base.slot.voice_type)
        and quality in (None, base.slot.quality)
    ]


def entry_row(entry: Entry) -> Sequence[object]:
    """One line of `list`."""
    trained = "" if entry.step is None else f"{entry.epoch if entry.epoch is not None else '?'}, {entry.step}"
    name = f"{entry.name} *" if entry.chosen else entry.name
    lacks = ", ".join(entry.missing)
    return name, entry.slot.voice_type, entry.slot.quality, entry.sample_rate, size_words(entry.size), trained, entry.licence, lacks  # fmt: skip


def catalogue_row(base: Base) -> dict[str, Any]:
    """One line of `list --catalogue`."""
    return {
        "name": base.name,
        "kind": "by hand" if base.by_hand else base.kind,
        "voice_type": base.slot.voice_type,
        "quality": base.slot.quality,
        "sample_rate": base.sample_rate,
        "size": size_words(base.size) if base.size else None,
        "licence": base.licence,
    }


def slots(language: str, entries: Iterable[Entry], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each voice type and quality of a language: what is in the library, and what the catalogue has for it."""
    here = listed(entries, language, None, None)
    there = listed(catalogue.bases.values(), language, None, None)
    rows = [
        {
            "voice_type": voice_type or "not known",
            "quality": quality,
            "library": _names(here, voice_type, quality),
            "catalogue": _names(there, voice_type, quality),
        }
        for voice_type in (*VOICE_TYPES, None)
        for quality in QUALITIES
    ]
    return [row for row in rows if row["voice_type"] in ("M", "F") or row["library"] or row["catalogue"]]


def _names(bases: Sequence[Entry] | Sequence[Base], voice_type: str | None, quality: str) -> str | None:
    found = [base.name for base in bases if (base.slot.voice_type, base.slot.quality) == (voice_type, quality)]
    return ", ".join(found[:3]) + (", …" if len(found) > 3 else "") if found else None
