"""locked: one process at a time; the system lets go of the lock when its holder ends, however that comes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxgraft.errors import CheckpointError
from voxgraft.progress import notice

_PAUSE = 0.1


@contextmanager
def locked(path: Path, *, waiting: str | None = None, longest: float = 86_400.0) -> Iterator[None]:
    """Hold the lock file at `path`; it stays there afterwards, empty.

    `waiting` is said once where another process holds it. Raises CheckpointError after `longest` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(handle, path, waiting, longest)
        yield
    finally:
        # Closing lets go of the lock.
        os.close(handle)


def _take(handle: int, path: Path, waiting: str | None, longest: float) -> None:
    began = time.monotonic()
    while not _taken(handle):
        if waiting is not None:
            notice(waiting)
            waiting = None
        if time.monotonic() - began > longest:
            raise CheckpointError(
                f"another process has held this lock for {longest:.0f} s",
                file=path,
                remedy="wait for it, or end it, and try again",
            )
        time.sleep(_PAUSE)


if sys.platform == "win32":
    import msvcrt

    def _taken(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
