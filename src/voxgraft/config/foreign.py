"""A setting that another task has is an error: it would be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voxgraft.config.run import RunConfig
from voxgraft.config.section import Only, Section, inner_section
from voxgraft.config.tasks.registry import task_names
from voxgraft.errors import ConfigError

TITLES: Mapping[str, str] = {
    "voice": "a voice",
    "recogniser": "a recogniser",
    "acoustic": "an acoustic model",
    "vocoder": "a vocoder",
}
MOST_NAMED = 4


def require_own_settings(config: RunConfig, task: str) -> None:
    """Raise ConfigError where settings are set, in a file, by an option or in Python, that the task of the run hasn't."""
    fault = foreign_settings(config, task)
    if fault is not None:
        raise fault


def foreign_settings(config: RunConfig, task: str) -> ConfigError | None:
    """An error that names the settings of other tasks that are set, and whose they are; None where there are none.

    What nobody set is no fault, whatever its default.
    """
    found = [(name, tasks) for name, tasks in settings_of_tasks(config) if task not in tasks]
    if not found:
        return None
    owners = dict.fromkeys(title_of(owner) for _, tasks in found for owner in tasks[:1])
    names = [name for name, _ in found]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ConfigError(
        f"only {' or '.join(owners)} has {'this setting' if len(names) == 1 else 'these settings'}, "
        f"and what is trained here is {title_of(task)}",
        field=", ".join(names[:MOST_NAMED]) + more,
        remedy=f"Remove {'it' if len(names) == 1 else 'them'}, or start from a base that is {next(iter(owners))}.",
    )


def title_of(task: str) -> str:
    """A task in words."""
    return TITLES.get(task, f"a model of the task {task}")


def settings_of_tasks(config: RunConfig) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The settings that are set and that only some tasks have: their dotted names, and these tasks."""
    for name in config.model_fields_set:
        if name in task_names() and isinstance(section := getattr(config, name), Section):
            yield from ((setting, (name,)) for setting in _all_set(section, f"{name}."))
    yield from _marked(config, "")


def _all_set(section: Section, prefix: str) -> Iterator[str]:
    for name in _in_order(section):
        value: Any = getattr(section, name)
        if isinstance(value, Section):
            yield from _all_set(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _marked(section: Section, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _in_order(section):
        field, value = type(section).model_fields.get(name), getattr(section, name)
        if field is None:
            continue
        mark = next((rule for rule in field.metadata if isinstance(rule, Only)), None)
        if mark is None and inner_section(field) is not None:
            yield from _marked(value, f"{prefix}{name}.")
        elif mark is not None and isinstance(value, Section):
            yield from ((inner, mark.tasks) for inner in _all_set(value, f"{prefix}{name}."))
        elif mark is not None:
            yield prefix + name, mark.tasks


def _in_order(section: Section) -> list[str]:
    return [name for name in type(section).model_fields if name in section.model_fields_set] + sorted(
        section.model_fields_set - set(type(section).model_fields)
    )
