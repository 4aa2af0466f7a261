"""pick: the base that fits a project best, why, and what else came near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voxgraft.errors import CheckpointError
from voxgraft.library.choice import Choice, from_catalogue, from_installed, from_library
from voxgraft.library.entry import Slot, size_words
from voxgraft.library.languages import KIN, OTHER, SAME, closeness

AUTO = "auto"
# Where no quality is asked for, the one that most bases have and that trains quickest for what it gives.
_USUAL = ("medium", "high", "low", "x_low")
_NEAR = 5
FREE, SHARE_ALIKE, UNKNOWN, RESTRICTED = 3, 2, 1, 0
_LICENCE_WORDS = {
    FREE: "licence {}", SHARE_ALIKE: "licence {} (share alike)", UNKNOWN: "licence not stated or unknown: {}",
    RESTRICTED: "licence {} (restricts use)",
}  # fmt: skip
_RESTRICTING = ("-nc", "nc-", " nc", "non-commercial", "noncommercial", "-nd", "cpml", "openrail", "research", "custom")
_SHARING = ("-sa", "gpl", "mpl", "share")
_FREE = ("cc0", "public domain", "pdm", "unlicense", "mit", "bsd", "apache", "isc", "cc-by", "cc by", "wtfpl", "zlib")


@dataclass(frozen=True)
class Picked:
    """The best base, in words why, and the next best with what they lack. `better` could be fetched."""

    choice: Choice
    reasons: tuple[str, ...]
    near: tuple[tuple[Choice, str], ...]
    better: Choice | None = None


def pick(
    wanted: Slot,
    sample_rate: int | None = None,
    *,
    families: Sequence[str] = ("vits",),
    choices: Iterable[Choice] | None = None,
) -> Picked:
    """The best base at hand. Quality (and sample rate, where given) must be the wanted ones; then language, voice type,
    whether it is whole, licence and length of training decide. The default of a slot goes before others of the slot.

    Raises CheckpointError where nothing fits, saying what to fetch.
    """
    every = list(all_choices() if choices is None else choices)
    fitting = [choice for choice in every if _fits(choice, wanted, sample_rate, families)]
    ranked = sorted(fitting, key=lambda choice: (_rank(choice, wanted), choice.name), reverse=True)
    here = [choice for choice in ranked if choice.path is not None]
    elsewhere = [choice for choice in ranked if choice.path is None]
    if not here:
        raise _nothing(wanted, sample_rate, elsewhere, [choice for choice in every if choice.path is not None])
    best = here[0]
    better = next((choice for choice in elsewhere if _outdoes(choice, best, wanted)), None)
    near = tuple((choice, _behind(choice, best, wanted)) for choice in here[1 : 1 + _NEAR])
    return Picked(best, _reasons(best, wanted), near, better)


def all_choices() -> list[Choice]:
    """All bases of the library, of installed packages and of the catalogue."""
    from voxgraft.library.catalogue import load_catalogue
    from voxgraft.library.installed import installed_voices
    from voxgraft.library.store import Library

    library, catalogue = Library(), load_catalogue()
    installed = from_installed(installed_voices(), catalogue)
    return from_library(library, library.entries()) + installed + from_catalogue(catalogue.bases.values())


def licence_rank(licence: str | None) -> int:
    """How freely a voice that is made from a base may be used: FREE, SHARE_ALIKE, UNKNOWN or RESTRICTED."""
    text = (licence or "").lower()
    for rank, words in ((RESTRICTED, _RESTRICTING), (SHARE_ALIKE, _SHARING), (FREE, _FREE)):
        if any(word in text for word in words):
            return rank
    return UNKNOWN


def _fits(choice: Choice, wanted: Slot, sample_rate: int | None, families: Sequence[str]) -> bool:
    return (
        choice.family in families
        and choice.slot.quality is not None
        and wanted.quality in (None, choice.slot.quality)
        and (sample_rate is None or choice.sample_rate in (None, sample_rate))
    )


def _rank(choice: Choice, wanted: Slot) -> tuple[int, ...]:
    quality = -_USUAL.index(str(choice.slot.quality)) if wanted.quality is None else 0
    trained = choice.step if choice.step is not None else -1
    return (
        _language(choice, wanted), quality, _voice_type(choice, wanted), int(choice.chosen), int(choice.whole),
        licence_rank(choice.licence), trained, choice.epoch if choice.epoch is not None else -1,
        int(choice.where == "library"),
    )  # fmt: skip


def _language(choice: Choice, wanted: Slot) -> int:
    """3 the language, 2 another region's, 1 the generic set, 0 another language."""
    if wanted.language is None:
        return 0
    close = closeness(wanted.language, choice.slot.language)
    return {SAME: 3, KIN: 2, OTHER: 0}[close] or int(choice.generic)


def _voice_type(choice: Choice, wanted: Slot) -> int:
    if wanted.voice_type is None:
        return 0
    if choice.generic and _language(choice, wanted) < 2:
        # The generic set stands for both types.
        return 3
    return {wanted.voice_type: 3, "other": 2, None: 1}.get(choice.slot.voice_type, 0)


def _outdoes(choice: Choice, best: Choice, wanted: Slot) -> bool:
    """Whether something is worth fetching: nearer in language or voice type, or whole where the best at hand is not."""
    if wanted.language is None:
        return False
    decisive = slice(0, 5)
    there, here = _rank(choice, wanted)[decisive], _rank(best, wanted)[decisive]
    # That a list calls it its default is no reason to fetch it.
    return (*there[:3], there[4]) > (*here[:3], here[4])


def _reasons(choice: Choice, wanted: Slot) -> tuple[str, ...]:
    slot = choice.slot
    named = {3: "the same language", 2: "the same language, another region", 1: "the generic set, for any language"}
    language = named.get(_language(choice, wanted), "another language" if wanted.language else "no language asked for")
    words = [f"the same quality ({slot.quality})" if wanted.quality else f"quality {slot.quality}"]
    words.append(f"{language} ({slot.language or 'not known'})")
    if wanted.voice_type is None:
        words.append(f"voice type {slot.voice_type or 'not known'}")
    else:
        agrees = {3: "as wanted", 2: "of several kinds", 1: "unknown"}.get(_voice_type(choice, wanted), "not as wanted")
        words.append(f"voice type {slot.voice_type or 'not known'}, {agrees}")
    words += ["the chosen default of its slot"] if choice.chosen else []
    words.append(
        "a whole training checkpoint" if choice.whole else "an exported voice: what it lacks is recovered first"
    )
    words.append(_LICENCE_WORDS[licence_rank(choice.licence)].format(choice.licence or "not stated"))
    words.append(f"{choice.step} steps of training" if choice.step is not None else "length of training not recorded")
    return tuple(words)


def _behind(choice: Choice, best: Choice, wanted: Slot) -> str:
    """The first thing in which a choice is behind the best, in words."""
    theirs, ours = _rank(choice, wanted), _rank(best, wanted)
    place = next((index for index, (a, b) in enumerate(zip(theirs, ours, strict=True)) if a != b), None)
    words = {
        0: f"language {choice.slot.language or 'not known'}", 1: f"quality {choice.slot.quality}",
        2: f"voice type {choice.slot.voice_type or 'not known'}", 3: "not the chosen default", 4: "not whole",
        5: f"licence {choice.licence or 'not stated'}", 6: f"{choice.step} steps of training", 7: f"epoch {choice.epoch}",
    }  # fmt: skip
    return "as good" if place is None else words.get(place, f"from {choice.where}")


def _nothing(
    wanted: Slot, sample_rate: int | None, elsewhere: Sequence[Choice], here: Sequence[Choice]
) -> CheckpointError:
    asked = f"{wanted}" + (f" at {sample_rate} Hz" if sample_rate else "")
    got = f"{len(here)} of other qualities or families" if here else "an empty library and no installed voice"
    fetchable = [choice for choice in elsewhere if choice.by_hand is None][:2]
    lines = [f"`voxgraft library fetch {choice.name}` ({size_words(choice.size)})" for choice in fetchable]
    first = f"Fetch one: {', or '.join(lines)}. Or add" if lines else "Add"
    return CheckpointError(
        "no base at hand fits",
        field="base: auto",
        expected=asked,
        got=got,
        remedy=f"{first} one with `voxgraft library add FILE`, name one with --base, or train --from-scratch.",
    )
