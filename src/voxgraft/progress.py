"""Progress bars with time left, on stderr, for anything over a second."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Advance = Callable[..., None]
_silent = False


def silence() -> None:
    """Let this process say nothing of its progress: of several that work together, one speaks."""
    global _silent
    _silent = True


@contextmanager
def progress(description: str, total: float | None) -> Iterator[Advance]:
    """Show a bar; the value yielded is called as `advance(amount=1, note="")`.

    Where stderr is not a terminal, nothing moves: one line is printed at each tenth instead.
    """
    if _silent:
        yield lambda amount=1, note="": None
        return
    if not sys.stderr.isatty():
        yield _line_by_tenths(description, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(amount: float = 1, note: str = "") -> None:
            bar.update(task, advance=amount, note=note)

        yield advance


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Go through `items` with a bar."""
    size = total if total is not None else len(items) if hasattr(items, "__len__") else None
    with progress(description, size) as advance:
        for item in items:
            yield item
            advance()


def _line_by_tenths(description: str, total: float | None) -> Advance:
    import time

    done, tenth, began = 0.0, 0, time.monotonic()

    def advance(amount: float = 1, note: str = "") -> None:
        nonlocal done, tenth
        done += amount
        now = int(10 * done / total) if total else 0
        if now > tenth:
            tenth = now
            spent = time.monotonic() - began
            if spent > 1 and total:
                left = spent * (total - done) / done
                print(
                    f"{description}: {done:g}/{total:g}, {left:.0f} s left {note}".rstrip(), file=sys.stderr, flush=True
                )

    return advance


def notice(message: str) -> None:
    """One line for the person watching, on stderr."""
    if not _silent:
        print(message, file=sys.stderr, flush=True)
