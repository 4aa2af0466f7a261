"""Settings that lie elsewhere than they once did: files and commands that still use the old names are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from voxgraft.config.document import Document
from voxgraft.config.kinds import KeyPath
from voxgraft.errors import ConfigError
from voxgraft.progress import notice

MOVED: Mapping[str, str] = {
    "quality": "voice.quality",
    "noise_scale": "voice.noise_scale",
    "recovery": "voice.recovery",
    "training.replay": "voice.replay",
    "training.window": "voice.window",
    "training.realign_every": "voice.realign_every",
    "training.latent_noise": "voice.latent_noise",
    "training.segment": "voice.segment",
    "training.discriminator": "voice.discriminator",
    "training.discriminator_warmup": "voice.discriminator_warmup",
    "training.learning_rates": "voice.learning_rates",
    "training.rates_by_size": "voice.rates_by_size",
    "training.weights": "voice.weights",
    "recogniser.plateau": "training.plateau",
    "recogniser.plateau_factor": "training.plateau_factor",
    "evaluation.sentences": "voice.sentences",
    "evaluation.cer_margin": "voice.cer_margin",
}
_PLACES = {tuple(old.split(".")): tuple(new.split(".")) for old, new in MOVED.items()}

Tell = Callable[[str, str], None]


@cache
def tell_moved(old: str, new: str) -> None:
    """Say, once, that a setting has another name now."""
    notice(
        f"the setting {old} is called {new} now; {old} is still read, but write {new} in voxgraft.yaml and after --set"
    )


def tell_nothing(old: str, new: str) -> None:
    """For files that voxgraft wrote itself: their reader could do nothing about them."""


def todays_name(names: KeyPath, tell: Tell = tell_moved) -> KeyPath:
    """Where a setting lies now, by the parts of its dotted name."""
    for old, new in _PLACES.items():
        if tuple(names[: len(old)]) == old:
            tell(".".join(old), ".".join(new))
            return (*new, *names[len(old) :])
    return tuple(names)


def moved(values: Mapping[str, Any], tell: Tell = tell_moved) -> dict[str, Any]:
    """The same settings, nested as in a file, each where it lies now. ConfigError: one is given under both names."""
    found = dict(values)
    for old, new in _PLACES.items():
        value, found = _taken(found, old)
        if value is not _ABSENT:
            tell(".".join(old), ".".join(new))
            found = _with(found, new, value, ".".join(old))
    return found


def moved_document(document: Document, file: Path, tell: Tell = tell_moved) -> Document:
    """A file's settings, each where it lies now; they keep their lines. ConfigError: one is given under both names."""
    try:
        values = moved(document.values, tell)
    except ConfigError as fault:
        raise ConfigError(fault.problem, file=file, field=fault.field, remedy=fault.remedy) from fault
    lines = {todays_name(place, tell_nothing): line for place, line in document.lines.items()}
    return Document(values, {**document.lines, **lines})


_ABSENT = object()


def _taken(values: dict[str, Any], place: KeyPath) -> tuple[Any, dict[str, Any]]:
    """What lies at a place, and the values without it; a section that is emptied by that goes too."""
    name, rest = place[0], place[1:]
    if name not in values or (rest and not isinstance(values[name], Mapping)):
        return _ABSENT, values
    others = {key: value for key, value in values.items() if key != name}
    if not rest:
        return values[name], others
    value, left = _taken(dict(values[name]), rest)
    if value is _ABSENT:
        return _ABSENT, values
    return value, others | ({str(name): left} if left else {})


def _with(values: dict[str, Any], place: KeyPath, value: Any, old: str, done: str = "") -> dict[str, Any]:
    name, rest = str(place[0]), place[1:]
    here, there = f"{done}{name}", values.get(name, _ABSENT)
    if there is _ABSENT or (there is None and rest):
        nested = value if not rest else _with({}, rest, value, old, f"{here}.")
        return values | {name: nested}
    if rest and isinstance(there, Mapping):
        return values | {name: _with(dict(there), rest, value, old, f"{here}.")}
    if not rest and isinstance(there, Mapping) and isinstance(value, Mapping):
        merged = dict(there)
        for key, inner in value.items():
            merged = _with(merged, (key,), inner, f"{old}.{key}", f"{here}.")
        return values | {name: merged}
    raise ConfigError(f"is set twice: {old} is its old name", field=here, remedy=f"Keep {here} and delete {old}.")
