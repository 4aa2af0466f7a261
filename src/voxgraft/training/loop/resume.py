"""What may differ when a run goes on: settings that it can obey from here on. Not its corpus, and nothing that it began with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from voxgraft.config.load import load_config, with_overrides
from voxgraft.config.run import RunConfig
from voxgraft.errors import CheckpointError, TrainingError
from voxgraft.files import write_atomically
from voxgraft.progress import notice
from voxgraft.project.run_folder import project_folder
from voxgraft.yaml_file import parse_yaml

# Settings that a run obeys from the step on that it goes on from.
OBEYED = frozenset(
    f"training.{name}"
    for name in (
        "steps", "minutes", "validate_every", "patience", "plateau", "plateau_factor", "checkpoint_minutes", "keep",
        "disk_budget_gb", "workers", "device", "devices", "nodes", "accumulate",
    )
)  # fmt: skip
# Where things lie, and what a run does not read.
PLACES = frozenset({"output", "name"})
ASKED = "asked.yaml"


def write_asked(config: RunConfig, folder: Path) -> None:
    """Keep what was asked for, before anything was decided, and what of it the project's file said: a resume compares."""
    told = {"asked": _plain(config), "project": _in_file(config)}
    write_atomically(folder / ASKED, yaml.safe_dump(told, allow_unicode=True, sort_keys=False))


def _plain(config: RunConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude_unset=True)


def _in_file(config: RunConfig) -> dict[str, Any]:
    """The settings of the project's voxgraft.yaml; none where it has none."""
    path = project_folder(config).settings
    return _plain(load_config(path)) if path.is_file() else {}


def with_obeyed(kept: RunConfig, asked: RunConfig, folder: Path) -> RunConfig:
    """The settings of a run, changed by those that are asked for now and can still be obeyed.

    TrainingError where something is asked for that a run can't change any more.
    """
    now, (then, file_then) = _flat(_plain(asked)), _asked_then(folder)
    # What the file said at the beginning too, though an option overruled it then, is not asked for anew.
    now = {name: value for name, value in now.items() if name not in file_then or file_then[name] != value}
    changed = {name: value for name, value in now.items() if name not in PLACES and _differs(name, value, kept, then)}
    fixed = {name: value for name, value in changed.items() if name not in OBEYED}
    if fixed:
        told = ", ".join(f"{name} was {_get(kept, name)!r} and is {value!r} now" for name, value in fixed.items())
        raise TrainingError(
            f"a run goes on with the settings that it began with: {told}",
            file=folder,
            field=next(iter(fixed)),
            remedy="Leave it as it was, or begin a new run under another name (--name).",
        )
    if not changed:
        return kept
    notice("from here on: " + ", ".join(f"{name} {value}" for name, value in changed.items()))
    # Steps that are asked for are wanted, whatever minutes the run began with.
    values = changed | ({"training.minutes": None} if "training.steps" in changed else {})
    return with_overrides(kept, (), values)


def _differs(name: str, value: Any, kept: RunConfig, then: Mapping[str, Any]) -> bool:
    """Whether a setting is asked for that the run does not have; what was left to us then may be left to us again."""
    if (name in then and value == then[name]) or value == _get(kept, name):
        return False
    return name in then or value != _get(RunConfig(), name)


def _asked_then(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nothing in runs of older versions, nor where the file was cut short: then the run's settings alone are compared with."""
    path = folder / ASKED
    try:
        found = parse_yaml(path.read_bytes(), path) if path.is_file() else {}
    except CheckpointError:
        found = {}
    parts = found if isinstance(found, Mapping) else {}
    asked, in_file = (part if isinstance(part := parts.get(name), Mapping) else {} for name in ("asked", "project"))
    return _flat(asked), _flat(in_file)


def changes_of_corpus(then: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> str | None:
    """How a corpus (rows of role, id, text, hash of the sound) differs from what it was, in words; None where it does not."""
    if [list(row) for row in then] == [list(row) for row in now]:
        return None
    before, after = ({(row[0], row[1]): row for row in rows} for rows in (then, now))
    both = before.keys() & after.keys()
    counts = {
        "new": len(after.keys() - before.keys()),
        "gone": len(before.keys() - after.keys()),
        "with another text": sum(before[key][2] != after[key][2] for key in both),
        "with another recording": sum(before[key][3] != after[key][3] for key in both),
    }
    told = [f"{count} {what}" for what, count in counts.items() if count]
    return f"clips: {', '.join(told)}" if told else "the clips come in another order"


def require_same_corpus(then: Sequence[Sequence[str]] | None, now: Sequence[Sequence[str]], folder: Path) -> None:
    """TrainingError where the corpus is not what the run began with; runs of older versions did not write it down."""
    changes = None if then is None else changes_of_corpus(then, now)
    if changes is None:
        return
    best = next(iter(sorted((folder / "best").glob("epoch=*"))), None)
    taking_up = (
        "" if best is None else f", with the best weights of this one as its base (--base {shlex.quote(str(best))})"
    )
    raise TrainingError(
        f"the recordings or texts have changed since the run began ({changes})",
        file=folder,
        remedy=f"Put them back as they were, or begin a new run under another name (--name){taking_up}.",
    )


def _get(config: RunConfig, name: str) -> Any:
    value: Any = config.model_dump(mode="json")
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
