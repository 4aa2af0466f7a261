"""docs/configuration.md, written from the settings themselves: `python -m voxgraft.config.reference docs/configuration.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from voxgraft.config.run import RunConfig
from voxgraft.config.section import Only, Section
from voxgraft.config.tasks.registry import BUILT_IN
from voxgraft.files import write_atomically

HEADING = """\
# Configuration

Every setting of a project, with its default. A project keeps its settings in `voxgraft.yaml`; what is not there has the
default. Three ways lead to the same configuration:

- YAML: `training: {steps: 500}` in `voxgraft.yaml`;
- the command line: `--set training.steps=500`, as often as you like; it wins over the file;
- Python: `RunConfig(training={"steps": 500})`, or `with_overrides(config, ["training.steps=500"])`.

A misspelt setting is an error that names the nearest right one, and so is a setting of another task than the one that is
trained: `training` holds what every run has, and each task has a section of its own. Names that settings had in earlier
versions are read and told. Text needs no quotes on the command line. Relative paths in the file start at the file's folder.

This page is made by `python -m voxgraft.config.reference docs/configuration.md`.
"""

_BOUNDS = (("ge", "at least"), ("gt", "over"), ("le", "at most"), ("lt", "under"))


@dataclass(frozen=True)
class Setting:
    """One line of the reference."""

    name: str
    kind: str
    default: str
    description: str


def settings(model: type[Section] = RunConfig, prefix: str = "") -> Iterator[tuple[str, str, list[Setting]]]:
    """Sections in their order: name (empty for the top), purpose, settings."""
    own = []
    sections: list[tuple[str, type[Section]]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            sections.append((f"{prefix}{name}", field.annotation))
        else:
            meaning = f"{field.description or ''}{_whose(field)}"
            own.append(Setting(f"{prefix}{name}", kind_of(field), _yaml(field.default), meaning))
    yield prefix.removesuffix("."), (model.__doc__ or "").split("\n")[0], own
    for name, section in sections:
        yield from settings(section, f"{name}.")


def reference() -> str:
    """The whole page as Markdown."""
    parts = [HEADING]
    for name, purpose, rows in settings():
        title = f"## {name}\n\n{purpose}\n" if name else f"## The project\n\n{purpose}\n"
        lines = [f"| `{row.name}` | {row.kind} | `{row.default}` | {row.description} |" for row in rows]
        parts.append("\n".join((title, "| setting | value | default | meaning |", "|---|---|---|---|", *lines, "")))
    return "\n".join(parts)


def _whose(field: FieldInfo) -> str:
    mark = next((rule for rule in field.metadata if isinstance(rule, Only)), None)
    tasks = [f"`{task}`" for task in mark.tasks if task in BUILT_IN] if mark is not None else []
    return f" Only of the task {' or '.join(tasks)}." if tasks else ""


def kind_of(field: FieldInfo) -> str:
    """What a setting may hold, in words: `whole number, at least 1`."""
    bounds = [
        f"{word} {getattr(rule, attribute):g}"
        for rule in field.metadata
        for attribute, word in _BOUNDS
        if getattr(rule, attribute, None) is not None
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _words(annotation: Any) -> str:
    plain = {int: "whole number", float: "number", str: "text", bool: "yes/no", NoneType: "null"}
    if annotation in plain:
        return plain[annotation]
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _words(arguments[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_words(part) for part in arguments)
    if get_origin(annotation) is tuple:
        return f"list of {_words(arguments[0])}"
    if get_origin(annotation) is dict:
        return f"{_words(arguments[0])}: {_words(arguments[1])}, any number of them"
    raise TypeError(f"the reference has no words for {annotation}")


def _yaml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), reference())
