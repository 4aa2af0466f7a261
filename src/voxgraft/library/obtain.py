"""obtain: a base of the catalogue, fetched into the library unless it is there."""

from __future__ import annotations

import difflib
import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from voxgraft.architectures.families import families
from voxgraft.errors import CheckpointError
from voxgraft.library.archive import NoRoom, unpack
from voxgraft.library.catalogue import Base, Part, load_catalogue
from voxgraft.library.download import Wanted, download
from voxgraft.library.entry import Slot, is_file_name, word
from voxgraft.library.languages import SAME, closeness
from voxgraft.library.lock import locked
from voxgraft.library.shelve import LanguageNotKnown, Shelved, Stated, shelve
from voxgraft.library.store import DOWNLOADS, Library

_UNPACKED = "unpacked"
_MODELS = (".ckpt", ".pth", ".onnx", ".safetensors", ".pt")


def obtain(base: Base, library: Library, *, timeout: float = 30.0, tries: int = 5, pause: float = 1.0) -> Shelved:
    """Fetch the files of a base, verify them as far as anything is known of them, and add it.

    What is there already is not fetched again; a fetch that was stopped goes on, and what came whole is kept until it
    is in the library, unless it is no checkpoint; what nobody went on with for a month goes. Raises CheckpointError.
    """
    _check_possible(base)
    place = library.folder / DOWNLOADS / _key(base)
    library.drop_old_downloads(but=place.name)
    waiting = f"another process is fetching {base.name}; waiting for it"
    with locked(place.with_name(f".{place.name}.lock"), waiting=waiting):
        there = library.find(base.name)
        if there is not None:
            return Shelved(there, ())
        remarks = []
        for part in base.parts:
            try:
                wanted = Wanted(part.sha256, part.md5, part.size)
                download(part.urls, place / part.file, wanted, timeout=timeout, tries=tries, pause=pause)
            except CheckpointError as fault:
                if not part.optional:
                    raise
                remarks.append(f"{part.file} is not there, and not needed: {fault.problem}")
        try:
            shelved = shelve(_opened(base, place), library, _stated(base), moving=True)
        except LanguageNotKnown as fault:
            raise LanguageNotKnown(
                fault.problem, file=base.name, remedy=f"{fault.remedy} What was fetched is kept for that."
            ) from fault
        except NoRoom:
            raise
        except CheckpointError:
            # Another try shall not find the same file.
            shutil.rmtree(place, ignore_errors=True)
            raise
        shutil.rmtree(place, ignore_errors=True)
    return Shelved(shelved.entry, (*remarks, *shelved.remarks))


def wanted_bases(
    what: str,
    language: str | None = None,
    voice_type: str | None = None,
    quality: str | None = None,
    every: bool = False,
    name: str | None = None,
) -> list[Base]:
    """The bases that a name, an address, a language or `generic` means. Raises CheckpointError where there is none."""
    if "://" in what or what[:5].lower() == "file:":
        return [_at_address(what, language, voice_type, name)]
    catalogue = load_catalogue()
    base = catalogue.find(what)
    if base is not None:
        said = Slot(base.slot.language or language, base.slot.voice_type or voice_type, base.slot.quality)
        return [replace(base, slot=said)]

    def fits(base: Base) -> bool:
        return voice_type in (None, base.slot.voice_type) and quality in (None, base.slot.quality)

    found = [base for base in catalogue.for_language(what) if fits(base)]
    bases = [base for base in found if base.parts] if every or what == "generic" else defaults(found, what)
    if bases:
        return bases
    by_hand = [f"{base.name} ({base.by_hand})" for base in found if base.by_hand]
    near = difflib.get_close_matches(what, catalogue.bases, 3, 0.5)
    raise CheckpointError(
        "nothing in the catalogue that can be fetched",
        file=what,
        expected="a name, a language such as de, generic, or an address",
        got=f"only links for a browser: {', '.join(by_hand)}" if by_hand else None,
        remedy="Download it by hand, then `voxgraft library add FILE`."
        if by_hand
        else f"{f'Did you mean {chr(44).join(near)}? ' if near else ''}See `voxgraft library list --catalogue`.",
    )


def _key(base: Base) -> str:
    """A name for what is fetched: the same for the same files, whatever they are to be called in the library."""
    known = "\n".join(f"{part.file} {part.sha256 or part.urls[0]}" for part in base.parts)
    return hashlib.sha256(known.encode()).hexdigest()[:32]


def _at_address(url: str, language: str | None, voice_type: str | None, name: str | None) -> Base:
    """A file anywhere, as a base without a name of its own."""
    file = unquote(urlsplit(url).path).rpartition("/")[2]
    stem = hashlib.sha256(url.encode()).hexdigest()[:16]
    plain = is_file_name(file) and not file.startswith(".")
    part = Part(file if plain else "checkpoint", (url,))
    return Base(
        name or f"address/{stem}/file/{word(file)}",
        (part,),
        family="vits",
        slot=Slot(language, voice_type),
        source=url,
        archive=file.endswith(".zip"),
        nameless=name is None,
    )


def defaults(bases: Iterable[Base], language: str, fits: Callable[[Base], bool] = lambda base: True) -> list[Base]:
    """One base for each slot of a language, as a list's default: whole checkpoints, or voices where there is none."""
    known = set(families())
    able = [base for base in bases if base.parts and base.family in known and base.slot.quality and fits(base)]
    slots: dict[tuple[str | None, str | None], Base] = {}
    for base in sorted(able, key=lambda base: base.name):
        slot = (base.slot.voice_type, base.slot.quality)
        if slot not in slots or _order(base, language) > _order(slots[slot], language):
            slots[slot] = base
    chosen = list(slots.values())
    return [base for base in chosen if base.kind == "checkpoint"] or chosen


def _order(base: Base, language: str) -> tuple[bool, bool, bool, int]:
    same = closeness(language, base.slot.language) == SAME
    return base.kind == "checkpoint", same, base.default, base.step or 0


def _check_possible(base: Base) -> None:
    if not base.parts:
        raise CheckpointError(
            "can't be fetched from here",
            file=base.name,
            got=f"a link that only a browser can follow: {base.by_hand}" if base.by_hand else "no link",
            remedy=f"Download it by hand, then `voxgraft library add FILE --as {base.name}`.",
        )
    if not base.nameless and base.family not in families():
        raise CheckpointError(
            "voxgraft can't open this family yet",
            file=base.name,
            field="family",
            expected=", ".join(families()),
            got=base.family or "not known",
            remedy="Nothing was fetched. See `voxgraft library list --catalogue`.",
        )


def _opened(base: Base, place: Path) -> Path:
    """What was fetched, as a checkpoint: its main file, or the folder of a release."""
    if base.archive:
        unpacked = place / _UNPACKED
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        unpack(place / base.parts[0].file, unpacked)
        return unpacked
    if base.kind == "release" and len(base.parts) > 1:
        return place
    return place / _main(base.parts).file


def _main(parts: tuple[Part, ...]) -> Part:
    return next((part for part in parts if part.file.endswith(_MODELS)), parts[0])


def _stated(base: Base) -> Stated:
    return Stated(
        name=None if base.nameless else base.name,
        language=base.slot.language,
        voice_type=base.slot.voice_type,
        licence=base.licence,
        source=base.source or (base.parts[0].urls[0] if base.parts else None),
        generic=base.generic,
    )
