"""Whose a setting is: one that only another task has would be ignored, so it is an error to set it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voxgraft.config.run import AUTO, RunConfig
from voxgraft.config.section import Only, Section, inner_section
from voxgraft.config.tasks.registry import task_names
from voxgraft.errors import ConfigError

# What families call their tasks, where the settings say it otherwise.
TASKS_OF_FAMILIES: Mapping[str, str] = {"text-to-spec": "acoustic", "spec-to-wav": "vocoder"}
TITLES: Mapping[str, str] = {
    "voice": "a voice",
    "recogniser": "a recogniser",
    "acoustic": "an acoustic model",
    "vocoder": "a vocoder",
}
MOST_NAMED = 4
FROM_SCRATCH = "none"
OF_A_BASE = ("from_speaker", "keep_speakers", "languages", "rename", "drop_source_layers")


def require_own_settings(config: RunConfig, task: str) -> None:
    """Raise ConfigError where a setting is set, in a file, by an option or in Python, that only other tasks have, or that
    is about a base where there is none."""
    fault = foreign_settings(config, task)
    if fault is not None:
        raise fault
    if config.base == FROM_SCRATCH:
        _require_no_base(config)


def _require_no_base(config: RunConfig) -> None:
    """From scratch there is nothing that some settings could be about."""
    # A text-to-spec model from scratch may have a table of languages, and only the settings can say so.
    about = [name for name in OF_A_BASE if name != "languages" or config.task != "acoustic"]
    needless = [f"graft.{name}" for name in about if getattr(config.graft, name)]
    if needless:
        raise ConfigError(
            "the model starts from scratch: there is no base that this could be about",
            field=", ".join(needless),
            remedy=f"Remove {'it' if len(needless) == 1 else 'them'}, or name a base.",
        )


def foreign_settings(config: RunConfig, task: str) -> ConfigError | None:
    """An error that names the settings of other tasks that are set, and whose they are; None where there are none.

    What nobody set is no fault, whatever its default. `task` is named as in the settings or as families name it.
    """
    task = TASKS_OF_FAMILIES.get(task, task)
    found = {name: tasks for name, tasks in owners(config).items() if task not in tasks and is_set(config, name)}
    if not found:
        return None
    titles = list(dict.fromkeys(title_of(tasks[0]) for tasks in found.values()))
    names = list(found)
    one, more = len(names) == 1, len(names) - MOST_NAMED
    return ConfigError(
        f"{'is a setting' if one else 'are settings'} of {' and '.join(titles)}, and what is trained here is "
        f"{title_of(task)}",
        field=", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else ""),
        remedy=f"Remove {'it' if one else 'them'}, or start from a base that is {titles[0]}.",
    )


def title_of(task: str) -> str:
    """A task in words."""
    return TITLES.get(task, f"a model of the task {task}")


def without_foreign(config: RunConfig) -> dict[str, Any]:
    """All settings as plain data, nested as in a file, but for those that the run's task doesn't have.

    Before the task is settled these are what only some tasks have and nobody set.
    """
    values = config.model_dump(mode="json")
    for name, tasks in owners(config).items():
        if not is_set(config, name) if config.task == AUTO else config.task not in tasks:
            _drop(values, name.split("."))
    return values


def owners(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """The settings that only some tasks have, by their dotted names, and these tasks."""
    found: dict[str, tuple[str, ...]] = {}
    for task in task_names():
        section = getattr(config, task, None)
        if isinstance(section, Section):
            found |= {name: (task,) for name, _ in _leaves(type(section), f"{task}.", None)}
    marked = {name: tasks for name, tasks in _leaves(RunConfig, "", None) if tasks is not None}
    return marked | found


def is_set(config: RunConfig, name: str) -> bool:
    """Whether a setting was set, to whatever."""
    place: Any = config
    for step in name.split("."):
        if step not in place.model_fields_set:
            return False
        place = getattr(place, step)
    return True


def _leaves(
    section: type[Section], prefix: str, tasks: tuple[str, ...] | None
) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    for name, field in section.model_fields.items():
        mark = next((rule.tasks for rule in field.metadata if isinstance(rule, Only)), tasks)
        inner = inner_section(field)
        if inner is not None:
            yield from _leaves(inner, f"{prefix}{name}.", mark)
        else:
            yield prefix + name, mark


def _drop(values: dict[str, Any], place: list[str]) -> None:
    """Remove a setting, and the sections that are empty then."""
    if len(place) == 1:
        del values[place[0]]
        return
    _drop(values[place[0]], place[1:])
    if not values[place[0]]:
        del values[place[0]]
