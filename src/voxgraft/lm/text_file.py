"""lines_of: the lines of a text file, gzipped or not, as bytes; one that would never end is refused first."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from voxgraft.errors import TextError
from voxgraft.files import open_regular

_GZIP = b"\x1f\x8b"
# Text becomes three to eight times smaller; what unpacks to more than this was made to fill a machine.
_MOST_TIMES = 100
_ALWAYS_ALLOWED = 1 << 24
_PIECE = 1 << 20


def lines_of(path: Path, longest: int) -> Iterator[bytes]:
    """Each line with its end, in pieces of `longest` bytes where it is longer. Raises TextError naming the file."""
    try:
        with open_regular(path) as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            if packed:
                _check_size(path)
            with gzip.open(raw) if packed else raw as file:
                while line := file.readline(longest):
                    yield line
    except (OSError, EOFError, zlib.error) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise TextError(f"can't be read: {reason}", file=path, remedy="Check the path and the file.") from fault


def _check_size(path: Path) -> None:
    most = max(_ALWAYS_ALLOWED, _MOST_TIMES * path.stat().st_size)
    size = 0
    with open_regular(path) as raw, gzip.open(raw) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > most:
                raise TextError(
                    f"unpacks to more than {_MOST_TIMES} times its size, which no text does",
                    file=path,
                    expected=f"at most {most} bytes",
                    remedy="Check where it is from. If it is right, unpack it yourself and give the text.",
                )
