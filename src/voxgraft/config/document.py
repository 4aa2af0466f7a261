"""Document: a YAML mapping whose every key knows its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from voxgraft.config.kinds import KeyPath
from voxgraft.errors import ConfigError
from voxgraft.yaml_file import CONSTRUCTION_FAULTS, is_endless_number

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"

IsText = Callable[[KeyPath], bool]


@dataclass(frozen=True)
class Document:
    """Plain data of a YAML file; `lines` holds the line of each key, by its path, from 1."""

    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]


def no_text(place: KeyPath) -> bool:
    """For documents whose values are what YAML takes them for."""
    return False


def read_document(path: Path, is_text: IsText = no_text) -> Document:
    """Read a YAML mapping: bounded in size and depth, no aliases, no key twice.

    What lies where `is_text` is text as it is written: `no`, `007` and `2024-01-01` too.
    """
    return parse_document(read_text(path), path, is_text)


def read_text(path: Path) -> str:
    """The text of a file of settings, bounded. ConfigError: it can't be read, or is no UTF-8."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as fault:
        problem = f"can't be read: {fault.strerror}"
        raise _error(path, problem, "Give the path of a project or of its voxgraft.yaml.") from fault
    if len(content) > MOST_BYTES:
        raise _error(path, f"is larger than {MOST_BYTES} bytes", "This is no file of settings: check the path.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _error(path, f"is not UTF-8 text (byte {fault.start})", "Save it as UTF-8.") from fault


def parse_document(text: str, path: Path, is_text: IsText = no_text) -> Document:
    """Parse the text of a YAML mapping; `path` only names it in errors."""
    try:
        _check_events(text, path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return Document({}, {})
        if not isinstance(node, yaml.MappingNode):
            raise _error(
                path,
                "holds no settings: expected lines of the form `key: value`",
                "docs/configuration.md shows how settings are written.",
            )
        lines: dict[KeyPath, int] = {}
        _check_keys(node, (), lines, path, is_text)
        values: dict[str, Any] = yaml.SafeLoader("").construct_document(node)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        where = f"line {mark.line + 1}" if mark is not None else None
        raise ConfigError(
            f"is not valid YAML: {fault.problem or fault.context}", file=path, field=where, remedy="Correct this line."
        ) from fault
    except yaml.YAMLError as fault:
        raise _error(path, f"is not valid YAML: {fault}", "Save it as plain UTF-8 text.") from fault
    except CONSTRUCTION_FAULTS as fault:
        problem = "is not valid YAML: a value is not of the kind that it is marked as"
        raise _error(path, problem, "Take marks such as `!!bool` and `!!timestamp` out of it.") from fault
    return Document(values, lines)


def parse_value(text: str, place: KeyPath = (), is_text: IsText = no_text) -> Any:
    """The value of a `--set` override, typed as YAML types it, or as its place wants it; a number like 1e-4 is a number too.

    Text needs no quotes, whatever is in it.
    """
    if is_text(place) and text.strip() not in ("", "~", "null") and text.lstrip()[0] not in "'\"":
        return text.strip()

    def is_text_there(inner: KeyPath) -> bool:
        return is_text((*place, *inner[1:]))

    document = f"value: {text}" if text.strip() else "value: null"
    return parse_document(document, Path("--set"), is_text_there).values["value"]


def yaml_of(value: object, *, one_line: bool = False) -> str:
    """YAML that reads back equal, in readable Unicode; one line where asked."""
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**6 if one_line else 120,
        default_flow_style=one_line,
    )
    return text.removesuffix("...\n").rstrip("\n") if one_line else text


class _Dumper(yaml.SafeDumper):
    """A SafeDumper that quotes unusual line ends, which PyYAML writes but does not read back."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029\r") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _check_events(text: str, path: Path) -> None:
    depth = 0
    documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if isinstance(event, yaml.AliasEvent):
            raise _error(path, f"line {line}: aliases (*name) are not allowed", "Write the value itself.")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", _TEXT):
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            raise _error(path, f"line {line}: tags ({shown}) are not allowed", "Write the value without a tag.")
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.ScalarEvent) and is_endless_number(event.value):
            raise _error(
                path,
                f"not valid YAML, line {line}: a number of many digits",
                "Correct this value: no setting is that long.",
            )
        if depth > MOST_DEPTH:
            raise _error(
                path,
                f"line {line}: nested deeper than {MOST_DEPTH} levels",
                "Correct the indentation: no setting lies that deep.",
            )
        if documents > 1:
            raise _error(path, f"line {line}: a second document begins", "Keep one document in a file.")


def _check_keys(node: yaml.Node, prefix: KeyPath, lines: dict[KeyPath, int], path: Path, is_text: IsText) -> None:
    if isinstance(node, yaml.ScalarNode) and node.tag != _NULL and is_text(prefix):
        node.tag = _TEXT
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*prefix, index)] = item.start_mark.line + 1
            _check_keys(item, (*prefix, index), lines, path, is_text)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode) and is_text((*prefix, key.value)):
            # Of a mapping of names; a setting's own name is a word anyhow.
            key.tag = _TEXT
        if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
            raise _error(path, f"line {line}: a setting's name must be a word", "Write `name: value`.")
        place = (*prefix, key.value)
        if place in lines:
            raise ConfigError(
                f"is set twice, on lines {lines[place]} and {line}",
                file=path,
                field=".".join(map(str, place)),
                remedy="Keep one of them.",
            )
        lines[place] = line
        _check_keys(value, place, lines, path, is_text)


def _error(path: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError(problem, file=path, remedy=remedy)
