"""One line for each fault of a configuration: file, field, line, what is wrong, the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from voxgraft.config.kinds import KeyPath
from voxgraft.config.section import CONTRADICTION, Section, inner_section
from voxgraft.errors import ConfigError, shown

# What pydantic says in words of Python.
WORDS: Mapping[str, str] = {
    "model_type": "must be a section, with its settings indented below it",
    "model_attributes_type": "must be a section, with its settings indented below it",
    "dict_type": "must be names and values: {old: new}",
    "tuple_type": "must be a list: [a, b]",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_pattern_mismatch": "must be letters, digits, dots, dashes and underscores, beginning with a letter or digit",
}


def config_error(
    fault: ValidationError,
    values: Mapping[str, Any],
    file: str | Path | None,
    lines: Mapping[KeyPath, int],
    model: type[Section],
    options: Mapping[KeyPath, str | None] | None = None,
) -> ConfigError:
    """The first fault as a ConfigError; the remedy counts the others.

    `options` are settings that do not come from the file but from somewhere else, and whence.
    """
    errors = fault.errors(include_url=False)
    # A misspelt name comes first: it may be why another setting is missing.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    together = first["ctx"] if first["type"] == CONTRADICTION else None
    place = _real_place((*first["loc"], together["setting"]) if together else first["loc"], values)
    option = next((place[:n] for n in range(len(place), 0, -1) if place[:n] in (options or {})), None)
    if option is not None:
        file, lines = (options or {})[option], {}
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    if first["type"] == "extra_forbidden":
        return unknown_setting(place, model, file, line)
    if together:
        return ConfigError(together["problem"], file=file, field=_name(place, line), remedy=together["remedy"])
    # Each branch of a union reports its own fault of one setting.
    same = [WORDS.get(e["type"]) or _sentence(e["msg"]) for e in errors if _real_place(e["loc"], values) == place]
    more = len(errors) - len(same)
    others = f"{more} more {'settings are' if more > 1 else 'setting is'} wrong. " if more else ""
    return ConfigError(
        " or ".join(same),
        file=file,
        field=_name(place, line),
        got=shown(first["input"]),
        remedy=f"{others}See docs/configuration.md, which lists every setting with its range.",
    )


def _sentence(message: str) -> str:
    for ours, theirs in (("must", "Input should"), ("", "Value error, ")):
        if message.startswith(theirs):
            return ours + message.removeprefix(theirs).split(", unable to parse")[0]
    return message[0].lower() + message[1:]


def unknown_setting(place: KeyPath, model: type[Section], file: str | Path | None, line: int | None) -> ConfigError:
    """A misspelt setting: the nearest right name in its section, else in any section of the model."""
    section, name = place[:-1], str(place[-1])
    known, every = tuple(_section_at(section, model)), setting_names(model)
    prefix = ".".join(map(str, section))
    nearest = [f"{prefix}.{n}" if prefix else n for n in difflib.get_close_matches(name, known, 1, 0.6)]
    elsewhere = [n for n in every if n.rsplit(".", 1)[-1] == name]
    elsewhere += difflib.get_close_matches(f"{prefix}.{name}" if prefix else name, every, 1, 0.6)
    suggestions = list(dict.fromkeys(nearest or elsewhere))[:3]
    remedy = (
        f"Did you mean `{'` or `'.join(suggestions)}`?"
        if suggestions
        else f"Known here are {', '.join(known)}."
        if known
        else "Remove it: nothing can be set inside this setting."
    )
    return ConfigError("no such setting", file=file, field=_name(place, line), remedy=remedy)


def setting_names(model: type[Section]) -> list[str]:
    """Every setting as `section.name`, sections left out."""
    return [name for name, _ in _walk(model, "")]


def _walk(model: type[Section], prefix: str) -> list[tuple[str, FieldInfo]]:
    names: list[tuple[str, FieldInfo]] = []
    for name, field in model.settings().items():
        inner = inner_section(field)
        names += _walk(inner, f"{prefix}{name}.") if inner is not None else [(prefix + name, field)]
    return names


def _section_at(place: KeyPath, model: type[Section]) -> Mapping[str, FieldInfo]:
    """What may lie in a section; nothing where the place is none."""
    section: type[Section] | None = model
    for name in place:
        field = section.settings().get(str(name)) if section is not None else None
        section = inner_section(field) if field is not None else None
    return section.settings() if section is not None else {}


def _real_place(location: KeyPath, values: Any) -> KeyPath:
    """The part of pydantic's location that is in the data: it appends the branch of a union."""
    place: list[str | int] = []
    for step in location:
        inside = isinstance(values, Mapping) and step in values
        if not inside and not (isinstance(values, list | tuple) and isinstance(step, int)):
            break
        values = values[step]
        place.append(step)
    return tuple(place)


def _name(place: KeyPath, line: int | None) -> str:
    name = ".".join(map(str, place))
    return f"{name} (line {line})" if line is not None else name
