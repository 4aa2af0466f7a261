"""load_config: YAML, `--set a.b=c` and Python are three ways to one RunConfig."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voxgraft.config.document import Document, parse_value, read_document, yaml_of
from voxgraft.config.explain import config_error, unknown_setting
from voxgraft.config.moved import moved_document, todays_name
from voxgraft.config.own_settings import without_foreign
from voxgraft.config.run import RunConfig
from voxgraft.config.section import Section, inner_section
from voxgraft.errors import ConfigError
from voxgraft.files import write_atomically

PROJECT_FILE = "voxgraft.yaml"
PATHS = frozenset({"output", "corpus.path", "graft.symbols", "graft.alphabet"})
PATHS_OR_NAMES = frozenset({"base", "evaluation.recogniser"})
LISTS_OF_PATHS = frozenset({"recogniser.train", "recogniser.dev", "recogniser.test"})


def load_config(
    path: Path | None = None, overrides: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> RunConfig:
    """Settings of a project: the defaults, changed by its file, that by `values`, those by the overrides in their order.

    `path` is a project folder, a YAML file, or None for the defaults alone. `values` are settings by their dotted names,
    such as `{"training.steps": 500}`; overrides are text, `training.steps=500`. Relative paths in the file mean places
    beside the file; those in values and overrides mean places in the working folder.

    Raises:
        ConfigError: a setting is misspelt, of the wrong type or out of range; names file, line and field.
    """
    if path is None:
        changed = _overridden({"output": str(Path.cwd())}, values or {}, overrides)
        return _validated(changed, Document({}, {}), None)
    file = path / PROJECT_FILE if path.is_dir() else path
    if not file.exists():
        raise ConfigError("no such project", file=file, remedy="make one with `voxgraft new NAME`")
    document = moved_document(read_document(file), file)
    changed = _overridden(_anchored({"output": ".", **document.values}, file.parent), values or {}, overrides)
    return _validated(changed, document, file)


def with_overrides(
    config: RunConfig, overrides: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> RunConfig:
    """The same configuration with settings changed: `values` by their dotted names, then `a.b=c`, typed as in YAML.

    What nobody set stays unset.
    """
    changed = _overridden(config.model_dump(exclude_unset=True), values or {}, overrides)
    return _validated(changed, Document({}, {}), None)


def parse_overrides(overrides: Sequence[str], values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`values` by their dotted names, then overrides, as nested settings, not yet checked; relative paths start at the
    working folder."""
    return _overridden({}, values or {}, overrides)


def dump_config(config: RunConfig, path: Path | None = None) -> str:
    """All settings as YAML, defaults included; loading it gives an equal configuration. Written to `path` if given.

    What only other tasks have is left out. Paths are written whole: the file may lie elsewhere than the project.
    """
    text = yaml_of(_anchored(without_foreign(config), Path.cwd()))
    if path is not None:
        write_atomically(path, text)
    return text


def _anchored(values: Mapping[str, Any], folder: Path, prefix: str = "") -> dict[str, Any]:
    """The same values with relative paths made to start at `folder`."""
    return {
        name: _anchored(value, folder, f"{prefix}{name}.")
        if isinstance(value, Mapping)
        else _placed(prefix + name, value, folder)
        for name, value in values.items()
    }


def _placed(name: str, value: Any, folder: Path) -> Any:
    if name in LISTS_OF_PATHS and isinstance(value, list | tuple):
        return [_at(item, folder) if isinstance(item, str) else item for item in value]
    if not isinstance(value, str) or name not in PATHS | PATHS_OR_NAMES:
        return value
    place = _at(value, folder)
    # `base` and `evaluation.recogniser` may be names of installed packages or library entries instead.
    return place if name in PATHS or (value and os.path.exists(place)) else value


def _at(value: str, folder: Path) -> str:
    return os.path.abspath(os.path.join(folder, os.path.expanduser(value)))


def _overridden(settings: Mapping[str, Any], values: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    changed: dict[str, Any] = _copied(settings)
    for name, value in values.items():
        _set(changed, name.split("."), os.fspath(value) if isinstance(value, os.PathLike) else value, None)
    for override in overrides:
        name, equals, text = override.partition("=")
        names = name.strip().split(".")
        if not equals or not all(names):
            raise ConfigError(
                "is not an override", file="--set", got=repr(override), remedy="write --set training.steps=500"
            )
        _set(changed, names, parse_value(text), "--set")
    return changed


def _set(settings: dict[str, Any], given: Sequence[str], value: Any, source: str | None) -> None:
    names = [str(name) for name in todays_name(tuple(given))]
    check_name(names, source)
    place = settings
    for step in names[:-1]:
        if not isinstance(place.get(step), dict):
            place[step] = {}
        place = place[step]
    place[names[-1]] = _placed(".".join(names), value, Path.cwd())


def check_name(names: Sequence[str], source: str | None = "--set") -> None:
    """Raise ConfigError, naming the nearest right one, unless `names` leads to a setting or a section."""
    section: type[Section] | None = RunConfig
    for depth, name in enumerate(names):
        field = section.settings().get(name) if section is not None else None
        if field is None:
            raise unknown_setting(tuple(names[: depth + 1]), RunConfig, source, None)
        section = inner_section(field)


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copied(v) if isinstance(v, Mapping) else v for k, v in values.items()}


def config_of_document(document: Document, file: Path) -> RunConfig:
    """The settings that a file holds."""
    return _validated(_anchored({"output": ".", **document.values}, file.parent), document, file)


def _validated(values: Mapping[str, Any], document: Document, file: Path | None) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ConfigError as fault:
        if isinstance(fault.__cause__, ValidationError):
            raise config_error(fault.__cause__, values, file, document.lines, RunConfig) from fault
        raise
