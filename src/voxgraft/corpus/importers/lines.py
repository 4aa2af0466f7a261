"""Lines of a table of transcripts, whatever its encoding, and what makes one of them unusable."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from voxgraft.errors import CorpusError

LONGEST_LINE = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines without their ends, with their numbers; a byte-order mark, UTF-16 and any line ends are understood."""
    with open(path, encoding=_encoding(path), errors="replace") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
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


def _encoding(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as fault:
        raise CorpusError(
            f"can't be read: {fault.strerror}", file=path, remedy="check the name and its permissions"
        ) from fault
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    # Text in UTF-16 without a mark has a zero in every other byte of its ASCII part.
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(head) >= 8
            and head[offset::2].count(0) > 0.4 * len(head[offset::2])
            and head[1 - offset :: 2].count(0) == 0
        ):
            return encoding
    return "utf-8"
