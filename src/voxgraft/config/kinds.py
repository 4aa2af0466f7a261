"""What a setting is, by the place where it lies: text, which YAML may not take for anything else, or a path."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator

from voxgraft.config.section import Section, inner_section

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Anchored:
    """Marks a path: a relative one means a place beside the file of settings, or in the working folder for an option.

    `or_name`: where nothing lies there, it is a name of something.
    """

    or_name: bool = False


def _text_of_path(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


PathText = Annotated[str, BeforeValidator(_text_of_path), Anchored()]
PathOrName = Annotated[str, BeforeValidator(_text_of_path), Anchored(or_name=True)]


def is_text(place: KeyPath, model: type[Section]) -> bool:
    """Whether only text, or a choice among words, may lie at a place: `no`, `007` and `2024-01-01` are text there."""
    kinds = list(_kinds(_annotation_at(place, model)))
    return bool(kinds) and all(kind is str or isinstance(kind, str) for kind in kinds)


def anchored(value: Any, folder: Path, model: type[Section], place: KeyPath = ()) -> Any:
    """The same value, or all that lies in it, with relative paths made to start at `folder`."""
    if isinstance(value, Mapping):
        return {name: anchored(inner, folder, model, (*place, name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [anchored(inner, folder, model, (*place, index)) for index, inner in enumerate(value)]
    value = _text_of_path(value)
    mark = path_mark(place, model) if isinstance(value, str) else None
    if mark is None:
        return value
    path = os.path.abspath(os.path.join(folder, os.path.expanduser(value)))
    return path if not mark.or_name or (value and os.path.exists(path)) else value


def path_mark(place: KeyPath, model: type[Section]) -> Anchored | None:
    """How a setting's value is a path; None where it is none."""
    return next((mark for mark in _marks(_annotation_at(place, model)) if isinstance(mark, Anchored)), None)


def _annotation_at(place: KeyPath, model: type[Section]) -> Any:
    """The type of what lies at a place; None where nothing may."""
    section: type[Section] | None = model
    for depth, name in enumerate(place, 1):
        field = section.field(str(name)) if section is not None else None
        if field is None:
            return None
        section = inner_section(field)
        if section is None:
            kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            return _inside(kind, len(place) - depth)
    return None


def _inside(annotation: Any, depth: int) -> Any:
    """The type of items so many levels inside a list or a mapping; None where there are no such levels."""
    if depth == 0:
        return annotation
    for kind in _branches(annotation):
        if get_origin(kind) in (tuple, dict):
            return _inside(get_args(kind)[0 if get_origin(kind) is tuple else 1], depth - 1)
    return None


def _branches(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _branches(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _branches(part)
    elif annotation not in (None, NoneType):
        yield annotation


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types of a value, and the words of a choice."""
    for kind in _branches(annotation):
        yield from get_args(kind) if get_origin(kind) is Literal else (kind,)


def _marks(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        yield from _marks(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _marks(part)
