"""load_config: YAML, `--set a.b=c` and Python are three ways to one RunConfig."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voxgraft.config.document import Document, parse_value, read_document, yaml_of
from voxgraft.config.explain import config_error, unknown_setting
from voxgraft.config.kinds import KeyPath, anchored, is_text
from voxgraft.config.moved import moved_document, tell_nothing, todays_name
from voxgraft.config.own_settings import without_foreign
from voxgraft.config.run import RunConfig
from voxgraft.config.section import Section, inner_section
from voxgraft.errors import ConfigError
from voxgraft.files import write_atomically

PROJECT_FILE = "voxgraft.yaml"


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
        return _changed({"output": str(Path.cwd())}, Document({}, {}), None, values, overrides)
    file = path / PROJECT_FILE if path.is_dir() else path
    if not file.exists():
        raise ConfigError("no such project", file=file, remedy="Make one with `voxgraft new NAME`.")
    document = moved_document(read_document(file, is_text_setting), file)
    settings = anchored({"output": ".", **document.values}, file.parent, RunConfig)
    return _changed(settings, document, file, values, overrides)


def with_overrides(
    config: RunConfig, overrides: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> RunConfig:
    """The same configuration with settings changed: `values` by their dotted names, then `a.b=c`, typed as in YAML.

    What nobody set stays unset.
    """
    return _changed(config.model_dump(exclude_unset=True), Document({}, {}), None, values, overrides)


def parse_overrides(overrides: Sequence[str], values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`values` by their dotted names, then overrides, as nested settings, not yet checked; relative paths start at the
    working folder."""
    changed: dict[str, Any] = {}
    for names, value, source in _asked(values or {}, overrides):
        _set(changed, names, value, source)
    return changed


def dump_config(config: RunConfig, path: Path | None = None) -> str:
    """All settings as YAML, defaults included; loading it gives an equal configuration. Written to `path` if given.

    What only other tasks have is left out. Paths are written whole: the file may lie elsewhere than the project.
    """
    text = yaml_of(anchored(without_foreign(config), Path.cwd(), RunConfig))
    if path is not None:
        write_atomically(path, text)
    return text


def _changed(
    settings: Mapping[str, Any],
    document: Document,
    file: Path | None,
    values: Mapping[str, Any] | None,
    overrides: Iterable[str],
) -> RunConfig:
    """The settings of a file, changed by those that were asked for, checked."""
    changed, options = _copied(settings), {}
    for names, value, source in _asked(values or {}, overrides):
        _set(changed, names, value, source)
        options[names] = source
    return _validated(changed, document, file, options)


def _asked(values: Mapping[str, Any], overrides: Iterable[str]) -> Iterator[tuple[KeyPath, Any, str | None]]:
    """The settings that were asked for, each where it lies now: its names, its value and whence it comes."""
    for name, value in values.items():
        yield todays_name(tuple(name.split("."))), value, None
    for override in overrides:
        name, equals, text = override.partition("=")
        names = tuple(name.strip().split("."))
        if not equals or not all(names):
            raise ConfigError(
                "is not a setting with a value",
                file="--set",
                got=repr(override),
                remedy="Write --set NAME=VALUE, such as --set training.steps=500.",
            )
        yield (place := todays_name(names)), parse_value(text, place, is_text_setting), "--set"


def _set(settings: dict[str, Any], names: KeyPath, value: Any, source: str | None) -> None:
    check_name(names, source)
    place = settings
    for step in map(str, names[:-1]):
        if not isinstance(place.get(step), dict):
            place[step] = {}
        place = place[step]
    place[str(names[-1])] = anchored(value, Path.cwd(), RunConfig, names)


def is_text_setting(place: KeyPath) -> bool:
    """Whether a setting, called as it is now or once was, may only be text."""
    return is_text(todays_name(place, tell_nothing), RunConfig)


def check_name(names: KeyPath, source: str | None = "--set") -> None:
    """Raise ConfigError, naming the nearest right one, unless `names` leads to a setting or a section."""
    section: type[Section] | None = RunConfig
    for depth, name in enumerate(names):
        field = section.field(str(name)) if section is not None else None
        if field is None:
            raise unknown_setting(names[: depth + 1], RunConfig, source, None)
        section = inner_section(field)


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copied(v) if isinstance(v, Mapping) else v for k, v in values.items()}


def config_of_document(document: Document, file: Path) -> RunConfig:
    """The settings that a file holds."""
    return _validated(anchored({"output": ".", **document.values}, file.parent, RunConfig), document, file)


def _validated(
    values: Mapping[str, Any],
    document: Document,
    file: Path | None,
    options: Mapping[KeyPath, str | None] | None = None,
) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ConfigError as fault:
        if isinstance(fault.__cause__, ValidationError):
            raise config_error(fault.__cause__, values, file, document.lines, RunConfig, options) from fault
        raise
