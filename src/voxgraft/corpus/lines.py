"""Lines of a table of transcripts, whatever its encoding, and what makes one of them unusable."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from voxgraft.corpus.encoding import encoding_of, lines_of, marked_encoding
from voxgraft.errors import CorpusError

LONGEST_LINE = 1 << 20
# Far more than any corpus has that one machine trains on.
MOST_BYTES = 1 << 30
MOST_LINES = 4_000_000
_BLOCK = 1 << 20
_PACKED = {
    b"\x1f\x8b": ("is compressed (gzip)", "gunzip --keep"),
    b"BZh": ("is compressed (bzip2)", "bunzip2 --keep"),
    b"\xfd7zXZ\0": ("is compressed (xz)", "unxz --keep"),
    b"\x28\xb5\x2f\xfd": ("is compressed (zstd)", "unzstd"),
    b"PK\x03\x04": ("is a spreadsheet or a zip archive", None),
    b"\xd0\xcf\x11\xe0": ("is a spreadsheet", None),
}


def numbered_lines(path: Path, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    """Lines without their ends, with their numbers; a byte-order mark, UTF-16 and any line ends are understood.

    `encoding` is told from the file where it is not given. CorpusError for a file that is no table: one that can't be read,
    has no end, is compressed, far too large or in an encoding that can't be told.
    """
    require_table(path)
    with open(path, encoding=encoding or table_encoding(path), errors="replace") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if number > MOST_LINES:
                raise _too_large(path, f"over {MOST_LINES} lines")
            whole = line
            while len(line) >= LONGEST_LINE and not line.endswith("\n"):
                line = file.readline(LONGEST_LINE)
            yield number, whole.rstrip("\n") if len(whole) < LONGEST_LINE else whole


def line_fault(line: str) -> str | None:
    """Why a line can't be read at all, in words."""
    if len(line) >= LONGEST_LINE:
        return f"the line is over {LONGEST_LINE} characters long"
    if "\ufffd" in line:
        return "not valid UTF-8"
    return "holds NUL characters" if "\0" in line else None


def table_encoding(path: Path) -> str:
    """In which encoding a table is written; CorpusError where it is no table or its encoding can't be told."""
    state = require_table(path)
    return _encoding(path, state.st_size, state.st_mtime_ns)


def require_table(path: Path) -> os.stat_result:
    """Raise CorpusError for what can't be a table: no file with an end, a compressed one, a far too large one."""
    try:
        # Not opened before this: a pipe would block.
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise CorpusError(
                "is not a file", file=path, expected="a table of transcripts", remedy="Save the table in a file first."
            )
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError as fault:
        raise CorpusError(
            f"can't be read: {fault.strerror}", file=path, remedy="Check the name and its permissions."
        ) from fault
    for magic, (problem, command) in _PACKED.items():
        if head.startswith(magic):
            remedy = f"Unpack it: `{command} {shlex.quote(str(path))}`." if command else "Save it as CSV, in UTF-8."
            raise CorpusError(problem, file=path, expected="a table of transcripts as text", remedy=remedy)
    if state.st_size > MOST_BYTES:
        raise _too_large(path, f"{state.st_size} bytes")
    return state


@lru_cache(maxsize=64)
def _encoding(path: Path, size: int, changed: int) -> str:
    """Of a file as it is now: `size` and `changed` only tell it from what it was."""
    try:
        with open(path, "rb") as file:
            marked = marked_encoding(file.read(4096))
            if marked is not None:
                return marked
            file.seek(0)
            found = encoding_of(lines_of(iter(lambda: file.read(_BLOCK), b""), LONGEST_LINE))
    except OSError as fault:
        raise CorpusError(
            f"can't be read: {fault.strerror}", file=path, remedy="Check the name and its permissions."
        ) from fault
    if found is None:
        raise CorpusError(
            "is not UTF-8 text",
            file=path,
            expected="UTF-8, UTF-16, or Windows-1252 (Latin-1) in a western European language",
            got="an older encoding, such as Windows-1250 or Windows-1251, or no text at all",
            remedy=f"Save it as UTF-8, or convert it: iconv -f WINDOWS-1251 -t UTF-8 {shlex.quote(path.name)} > utf8-"
            f"{shlex.quote(path.name)} (with the encoding that it was written in).",
        )
    return found


def _too_large(path: Path, got: str) -> CorpusError:
    return CorpusError(
        "is too large for a table of transcripts",
        file=path,
        expected=f"at most {MOST_BYTES} bytes and {MOST_LINES} lines",
        got=got,
        remedy="Split it into several tables, and train on a part of them.",
    )
