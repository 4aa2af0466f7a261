"""locked: one process at a time; the system lets go of the lock when its holder ends, however that comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxgraft.errors import CheckpointError
from voxgraft.progress import notice

_PAUSE = 0.1


@contextmanager
def locked(path: Path, *, waiting: str | None = None, longest: float = 86_400.0) -> Iterator[None]:
    """Hold the lock file at `path`.

    `waiting` is said once where another process holds it. Raises CheckpointError after `longest` seconds.
    """
    # Here, for most of what a library is asked only reads.
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, poll_interval=_PAUSE)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting is not None:
                notice(waiting)
            lock.acquire(timeout=longest)
    except Timeout as fault:
        raise CheckpointError(
            f"another process has held this lock for {longest:.0f} s",
            file=path,
            remedy="Wait for it or end it, then try again.",
        ) from fault
    try:
        yield
    finally:
        lock.release()
