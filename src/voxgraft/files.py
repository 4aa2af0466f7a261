"""Atomic writes, what killed ones left behind, and content hashes."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

# `.NAME.MACHINE-PROCESS-RUN-NUMBER.tmp`, by which a later run tells whether its writer still lives.
_TEMPORARY = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-([0-9a-f]{12})-\d+\.tmp", re.DOTALL)
_LONGEST_NAME = 100
# Whether a process of another machine still lives can't be asked: its file is left alone for so long.
_DAY = 86_400.0
_RUN = secrets.token_hex(6)
_numbers = itertools.count()
_swept: set[Path] = set()


def write_atomically(path: Path, content: str | bytes | Iterable[bytes], *, durable: bool = True) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename. Raises OSError that names `path`.

    Without `durable` nobody waits for the disk: for files that tell by a checksum whether a power cut damaged them.
    """
    with replacing(path, durable=durable) as temporary, open(temporary, "wb") as file:
        if isinstance(content, str):
            file.write(content.encode("utf-8"))
        elif isinstance(content, bytes):
            file.write(content)
        else:
            file.writelines(content)


def name_beside(path: Path) -> Path:
    """An unused, hidden name in the same folder, to be renamed to `path`; what killed writers left there is deleted.

    Known before the file is there: whoever makes it within a `try` can delete it, whenever the interrupt comes.
    """
    folder = path.parent.absolute()
    if folder not in _swept:
        _swept.add(folder)
        _sweep_one(folder)
    # Cut, so that what is allowed as a name stays allowed with what is added.
    name = os.fsencode(path.name)[:_LONGEST_NAME].decode("utf-8", "ignore")
    return path.parent / f".{name}.{_machine()}-{os.getpid()}-{_RUN}-{next(_numbers)}.tmp"


def discard(temporary: Path) -> None:
    """Delete a file or folder that may not be there; what went wrong before matters more than what goes wrong here."""
    with suppress(OSError):
        if temporary.is_dir() and not temporary.is_symlink():
            shutil.rmtree(temporary)
        else:
            temporary.unlink()


def sweep(folder: Path) -> None:
    """Delete what killed writes left in a folder and below it; what a process still writes stays."""
    for place, _, _ in os.walk(folder):
        _sweep_one(Path(place))


def _sweep_one(folder: Path) -> None:
    with suppress(OSError), os.scandir(folder) as inside:
        for path in [Path(item.path) for item in inside if _TEMPORARY.fullmatch(item.name)]:
            with suppress(OSError):
                if _is_left(path):
                    discard(path)


def _is_left(temporary: Path) -> bool:
    """Whether nobody writes a temporary file any more."""
    found = _TEMPORARY.fullmatch(temporary.name)
    assert found is not None
    machine, process, run = found[1], int(found[2]), found[3]
    if machine != _machine() or os.name == "nt":
        return run != _RUN and time.time() - temporary.lstat().st_mtime > _DAY
    if process == os.getpid():
        # A container gives the same number to the process of each start.
        return run != _RUN
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


@cache
def _machine() -> str:
    """The machine in eight letters, and of it the part whose processes can be asked for: each container has its own."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:8]


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """A file for reading in bytes. OSError for anything else: a pipe would block, a device never end."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return open(descriptor, "rb")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content, read in pieces."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary file beside `path`, for whoever writes it piece by piece; takes its place at the end, or goes.

    Raises OSError that names `path`, not the temporary file, also where the system names none.
    """
    temporary = name_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
        if durable:
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as fault:
        discard(temporary)
        if fault.filename is None or Path(fault.filename) == temporary:
            fault.filename = str(path)
            fault.filename2 = None
        raise
    except BaseException:
        discard(temporary)
        raise
