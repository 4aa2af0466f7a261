"""JSON files of others, read with bounds: so many bytes, in UTF-8."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 100
_REMEDY = "Get the file again from where the model came from."
# Strings are taken whole, so that what looks like a comment in them stays. A comment without an end takes the rest.
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|/\*(?:.*?\*/|.*)|//[^\n]*', re.DOTALL)


def read_json(path: Path, *, limit: int = MAX_BYTES, remedy: str = _REMEDY, comments: bool = False) -> Any:
    """What a JSON file of at most `limit` bytes holds; `comments` are passed over. Raises CheckpointError."""
    text = _text(path, limit, remedy)
    try:
        return _shallow(json.loads(text), path, remedy)
    except (ValueError, RecursionError) as fault:
        if not comments:
            raise _not_json(path, fault, remedy, text) from fault
    try:
        return _shallow(json.loads(_COMMENT.sub(lambda match: match[1] or "", text)), path, remedy)
    except (ValueError, RecursionError) as fault:
        raise _not_json(path, fault, remedy, text) from fault


def read_object(path: Path, *, limit: int = MAX_BYTES, remedy: str = _REMEDY) -> dict[str, Any]:
    """The object in a JSON file of at most `limit` bytes; no key may be there twice. Raises CheckpointError."""
    text = _text(path, limit, remedy)
    try:
        document = json.loads(text, object_pairs_hook=_each_once(path, remedy))
    except (ValueError, RecursionError) as fault:
        raise _not_json(path, fault, remedy, text) from fault
    if not isinstance(document, dict):
        raise CheckpointError("not a JSON object", file=path, got=type(document).__name__, remedy=remedy)
    _shallow(document, path, remedy)
    return document


def _shallow(document: Any, path: Path, remedy: str) -> Any:
    """A document that whoever goes through it by calling itself can go through. Raises CheckpointError."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return document
        nodes = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for node in nodes for child in node if isinstance(child, dict | list)]
    raise CheckpointError(f"nested deeper than {MAX_DEPTH} levels", file=path, remedy=remedy)


def _text(path: Path, limit: int, remedy: str) -> str:
    try:
        with open_regular(path) as file:
            raw = file.read(limit + 1)
    except OSError as fault:
        raise CheckpointError(f"can't be read: {fault.strerror}", file=path, remedy=remedy) from fault
    if len(raw) > limit:
        raise CheckpointError("far too large", file=path, expected=f"at most {limit} bytes", remedy=remedy)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise CheckpointError("not UTF-8 text", file=path, remedy=remedy) from fault


def _each_once(path: Path, remedy: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise CheckpointError("is there twice", file=path, field=key[:120], remedy=remedy)
            found[key] = value
        return found

    return unique


def json_fault(fault: Exception) -> str:
    """What json says of a text that it can't read, in at most 120 characters."""
    if isinstance(fault, RecursionError):
        return "nested too deeply"
    return " ".join(str(fault).split())[:120]


# How what was saved in a file's place begins -> what it is, and what to do.
_IN_ITS_PLACE = (
    ("<", "a web page", "Sign in where the model comes from, if it asks for that, and download the file again."),
    ("version https://git-lfs", "a pointer of Git LFS", "Download the file itself, for example with git lfs pull."),
)


def _not_json(path: Path, fault: Exception, remedy: str, text: str) -> CheckpointError:
    for beginning, kind, instead in _IN_ITS_PLACE:
        if text.lstrip().startswith(beginning):
            return CheckpointError(f"not JSON but {kind}", file=path, remedy=instead)
    return CheckpointError(f"not JSON: {json_fault(fault)}", file=path, remedy=remedy)
