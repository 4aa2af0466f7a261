"""Which section of the settings each task has: those of this package, and those of installed packages
that offer a task under the entry point `voxgraft.tasks`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import create_model

from voxgraft.config.section import Section
from voxgraft.config.tasks.acoustic import AcousticConfig
from voxgraft.config.tasks.ctc import RecogniserConfig
from voxgraft.config.tasks.vocoder import VocoderConfig
from voxgraft.config.tasks.voice import VoiceConfig
from voxgraft.errors import ConfigError

GROUP = "voxgraft.tasks"
BUILT_IN: Mapping[str, type[Section]] = {
    "voice": VoiceConfig,
    "recogniser": RecogniserConfig,
    "vocoder": VocoderConfig,
    "acoustic": AcousticConfig,
}


def task_names() -> tuple[str, ...]:
    """Every task that can be named; none is loaded for it."""
    return tuple(dict.fromkeys((*BUILT_IN, *_offered())))


def is_trained(task: str) -> bool:
    """Whether models of a task, as families name it, can be trained: a family is where it names a task that is known."""
    return task in task_names()


def section_of_task(task: str) -> type[Section] | None:
    """The section of a task, which an installed package may have to be loaded for; None where there is no such task.

    An entry point leads to an object with the attribute `section`, the class of its settings.
    """
    known = BUILT_IN.get(task)
    return known or (_loaded(_offered()[task]) if task in _offered() else None)


def sections_from_outside() -> dict[str, type[Section]]:
    """The sections of all tasks that are not of this package."""
    found = {name: section_of_task(name) for name in task_names() if name not in BUILT_IN}
    return {name: section for name, section in found.items() if section is not None}


def read_outside(values: Mapping[str, Any]) -> dict[str, Section]:
    """Sections of tasks from outside, from their values. ValidationError: there is no such task, or a setting is wrong."""
    known: dict[str, Any] = {}
    for name in values:
        section = section_of_task(name)
        if section is not None:
            known[name] = (section, section())
    return dict(create_model("Outside", __base__=Section, **known).model_validate(dict(values)))


@cache
def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> type[Section]:
    try:
        section = point.load().section
    except Exception as fault:
        raise ConfigError(
            f"the task of an installed package can't be loaded: {fault}",
            field=point.name,
            got=point.value,
            remedy="Update or uninstall the package that brings it.",
        ) from fault
    if not (isinstance(section, type) and issubclass(section, Section)):
        raise ConfigError(
            "the task of an installed package has no section of settings",
            field=point.name,
            expected="a subclass of voxgraft.config.section.Section",
            got=repr(section),
            remedy="Update or uninstall the package that brings it.",
        )
    return section
