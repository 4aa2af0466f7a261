"""Read augmentations as Coqui STT writes them: `pitch[p=0.2,pitch=1:1.2~0.1]`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from voxgraft.audio.augment.kinds import CHOICES, KINDS, Domain, Key, Kind
from voxgraft.audio.augment.schedule import Schedule
from voxgraft.errors import ConfigError

_FORM = re.compile(r"(?P<name>[^\[\]]*)(\[(?P<inside>.*)\])?", re.DOTALL)
_EXAMPLE = "name[p=0.1,key=start:end~radius], as in pitch[p=0.2,pitch=1~0.1]"
_LONGEST = 2000


@dataclass(frozen=True)
class Augmentation:
    """One augmentation: what is done, to which share `p` of the clips, in which domain, with which numbers."""

    name: str
    p: float
    domain: Domain
    numbers: Mapping[str, Schedule]
    texts: Mapping[str, str]


def parse_augmentations(written: Iterable[str]) -> tuple[Augmentation, ...]:
    """All of them, in order. ConfigError names the one that can't be read, and what can stand there instead."""
    return tuple(parse_augmentation(one) for one in written)


def parse_augmentation(written: str) -> Augmentation:
    """One augmentation; see `kinds` for what there is. Raises ConfigError."""
    form = _FORM.fullmatch(written.strip()) if len(written) <= _LONGEST else None
    if form is None:
        raise _error(written, "is no augmentation", _EXAMPLE, written[:80])
    name = form["name"].strip()
    kind = KINDS.get(name)
    if kind is None:
        raise _unknown(written, "is no augmentation", name, tuple(KINDS))
    given = _pairs(written, form["inside"] or "", name, kind)
    domain = given.pop("domain", kind.domain)
    if domain not in CHOICES and "domain" in kind.names:
        raise _unknown(written, "has an unknown domain", domain, CHOICES)
    chance = _number(written, "p", given.pop("p", "1"))
    if not 0 <= chance <= 1:
        raise _error(written, "p is a probability", "0 to 1", f"{chance:g}")
    texts = {key: given.pop(key, "") for key in kind.texts}
    for key, value in texts.items():
        if not value:
            raise _error(written, f"{key} is missing", f"{name}[{key}=…]")
    numbers = {key: _schedule(written, key, given.get(key), sort) for key, sort in kind.keys.items()}
    return Augmentation(name, chance, domain, numbers, texts)  # type: ignore[arg-type]


def _pairs(written: str, inside: str, name: str, kind: Kind) -> dict[str, str]:
    """Keys and values between the brackets."""
    found: dict[str, str] = {}
    for part in inside.split(",") if inside.strip() else ():
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value:
            raise _error(written, "has a part that is no key=value", _EXAMPLE, part.strip() or "nothing")
        if key not in kind.names:
            raise _unknown(written, f"{name} has no such key", key, kind.names)
        if key in found:
            raise _error(written, f"names {key} twice", f"{key} once")
        found[key] = value
    return found


def _schedule(written: str, name: str, value: str | None, key: Key) -> Schedule:
    """`3`, `3~1`, `1:5` or `1:5~2`."""
    if value is None:
        if key.default is None:
            raise _error(written, f"{name} is missing", f"{name}=… ({key.unit})")
        return Schedule(key.default, key.default, 0.0, key.whole, key.low, key.high)
    middle, tilde, radius = value.partition("~")
    ends = [_number(written, name, end) for end in middle.split(":")]
    if len(ends) > 2:
        raise _error(written, f"{name} has more than two ends", "value, value~radius, start:end or start:end~radius")
    for end in ends:
        if not key.low <= end <= key.high:
            raise _error(written, f"{name} is out of range", f"{key.low:g} to {key.high:g} ({key.unit})", f"{end:g}")
        if key.whole and end != int(end):
            raise _error(written, f"{name} counts", "a whole number", f"{end:g}")
    around = _number(written, name, radius) if tilde else 0.0
    if around < 0:
        raise _error(written, f"the radius of {name} is negative", "0 or more", f"{around:g}")
    return Schedule(ends[0], ends[-1], around, key.whole, key.low, key.high)


def _number(written: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _error(
            written,
            f"{name} is no number",
            "value, value~radius, start:end or start:end~radius",
            text[:80] or "nothing",
        )
    return value


def _unknown(written: str, problem: str, got: str, known: tuple[str, ...]) -> ConfigError:
    close = get_close_matches(got, known, 1)
    return _error(
        written, problem, ", ".join(known), got[:80] or "nothing", f"did you mean `{close[0]}`? " if close else ""
    )


def _error(written: str, problem: str, expected: str, got: str | None = None, hint: str = "") -> ConfigError:
    return ConfigError(
        problem, field=f"augment {written[:80]}", expected=expected, got=got, remedy=f"{hint}write {_EXAMPLE}."
    )
