"""What a pickle is read as: names and calls as inert data, and the bounds of what may be made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from voxgraft.errors import CheckpointError

MAX_DEPTH = 200
# How many items lists and mappings may have beyond those written out, each counted as often as it is referred to.
MAX_SPREAD = 1_000_000
HOSTILE = "Don't use this file; ask its maker for one with weights only."
_CONTAINERS = (list, tuple, dict)


@dataclass(frozen=True)
class Global:
    """The name of something in a module; never the thing itself."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, repr=False)
class Opaque:
    """What a call of an unknown global would have made: its name, arguments and state, all inert."""

    made_by: str
    arguments: Any = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)

    def __repr__(self) -> str:
        """Without what it holds, which may be anything, and itself."""
        return f"<{self.made_by}>"


class Namespace(dict[str, Any]):
    """The attributes of an object that only holds some (argparse.Namespace and the like)."""


@dataclass
class Unpickled:
    """The object, and the names and calls outside the allow-list that a naive loader would have acted on."""

    content: Any
    globals: tuple[str, ...]
    calls: tuple[str, ...]
    end: int
    operations: int


def require_bounded(result: Unpickled) -> None:
    """Refuse data that refers to itself, or to the same lists over and over, so that going through it would never end."""
    content, most = result.content, MAX_SPREAD + 2 * result.operations
    sizes: dict[int, int] = {}
    path: set[int] = set()
    pending: list[tuple[Any, bool]] = [(content, False)]
    while pending:
        node, done = pending.pop()
        children = [child for child in _children(node) if isinstance(child, _CONTAINERS)]
        if done:
            path.discard(id(node))
            sizes[id(node)] = 1 + len(node) + sum(sizes[id(child)] for child in children)
            continue
        if id(node) in sizes or not isinstance(node, _CONTAINERS):
            continue
        path.add(id(node))
        if len(path) > MAX_DEPTH or any(id(child) in path for child in children):
            raise CheckpointError("the pickle's lists lie in each other without end", remedy=HOSTILE)
        pending.append((node, True))
        pending.extend((child, False) for child in children)
    if sizes.get(id(content), 0) > most:
        raise CheckpointError("the pickle unpacks to far more than any real checkpoint", remedy=HOSTILE)


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list | tuple) else ()


def sketched(arguments: Any) -> str:
    """The arguments of a call in a few characters."""
    items = arguments if isinstance(arguments, tuple) else (arguments,)
    return ", ".join(_sketch(item) for item in items[:4]) + (", …" if len(items) > 4 else "")


def _sketch(value: Any) -> str:
    """A value in a few characters; what is nested stays unseen."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return short(repr(value[:100] if isinstance(value, str | bytes) else value), 100)
    if isinstance(value, Global):
        return short(str(value), 100)
    if isinstance(value, Opaque):
        return f"<{value.made_by}>"
    return f"<{type(value).__name__}>"


def short(text: str, most: int) -> str:
    """At most `most` characters of a text."""
    return text if len(text) <= most else text[: most - 1] + "…"
