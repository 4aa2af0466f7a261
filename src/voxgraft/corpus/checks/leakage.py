"""Leakage: what is trained on and judged by at once, so that scores look better than the recogniser is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from itertools import combinations

from voxgraft.audio.read import read_audio
from voxgraft.audio.write import to_int16
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.prepare.parallel import map_in_parallel
from voxgraft.corpus.split import text_key
from voxgraft.errors import AudioError

_SHOWN = 5
_REMEDIES = {
    "text in two sets": "Move all recordings of a text into one set: otherwise its words are known by heart.",
    "recording in two sets": "Take it out of one of the two.",
    "speaker in two sets": "Nothing is needed if the recogniser is for these speakers; if it is for others, hold whole speakers out.",
}


def leaks(
    train: Manifest, dev: Manifest | None = None, test: Manifest | None = None, source: Manifest | None = None
) -> list[Finding]:
    """The same text, the same sound or the same speaker in two of the sets, with counts and names.

    `source` is what shows how much is forgotten of the base's language: only what is trained on must not be in it.
    """
    sets = [(name, part) for name, part in (("train", train), ("dev", dev), ("test", test)) if part is not None]
    findings = []
    apart = [(sets[0], ("source_test", source))] if source is not None else []
    for first, second in [*combinations(sets, 2), *apart]:
        sounds = _same_sounds(first[1], second[1])
        for kind, key in (
            ("text in two sets", lambda u: text_key(u.text) or None),
            ("recording in two sets", sounds),
            ("speaker in two sets", lambda u: u.speaker),
        ):
            findings += _shared(kind, first, second, key)
    return findings


def _shared(
    kind: str, first: tuple[str, Manifest], second: tuple[str, Manifest], key: Callable[[Utterance], Hashable | None]
) -> list[Finding]:
    known = {k: u for u in first[1] if (k := key(u)) is not None}
    both = [(u, known[k]) for u in second[1] if (k := key(u)) in known]
    if not both:
        return []
    names = ", ".join(f"{u.id} (as {other.id})" for u, other in both[:_SHOWN])
    more = f" and {len(both) - _SHOWN} more" if len(both) > _SHOWN else ""
    detail = f"{len(both)} of {len(second[1])} utterances of {second[0]} share it with {first[0]}: {names}{more}"
    return [Finding("*", kind, detail, _REMEDIES[kind])]


def _same_sounds(first: Manifest, second: Manifest) -> Callable[[Utterance], Hashable | None]:
    """A key of the decoded sound, for those whose length comes in both sets; None for the rest, which are not read."""
    common = {_length(u) for u in first} & {_length(u) for u in second}
    files = sorted({u.audio for u in _all(first, second) if _length(u) in common})
    hashes = dict(zip(files, map_in_parallel(_sound, files, "Comparing recordings", len(files)), strict=True))
    return lambda u: hashes.get(u.audio)


def _sound(path: str) -> str | None:
    try:
        x, _ = read_audio(path)
    except AudioError:
        return None  # the import and the check tell of it
    return hashlib.sha256(to_int16(x).tobytes()).hexdigest() if x.any() else None


def _length(u: Utterance) -> int:
    return round(1000 * u.duration)


def _all(*sets: Iterable[Utterance]) -> Iterable[Utterance]:
    return (u for part in sets for u in part)
