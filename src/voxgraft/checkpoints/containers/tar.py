"""Members of an uncompressed tar archive, by where their bytes lie: nothing is ever unpacked.

Layout: POSIX ustar, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular

_BLOCK = 512
_MAX_MEMBERS = 10_000
# Where a header keeps its checksum.
_SUM = slice(148, 156)
_REGULAR = (b"0", b"\0")
_DAMAGED = "The archive is damaged or incomplete: copy or download it again."


@dataclass(frozen=True)
class Member:
    """A regular file in an archive: `size` bytes from `start` on."""

    start: int
    size: int


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive."""
    return head[257:262] == b"ustar"


def tar_members(path: Path) -> dict[str, Member]:
    """Name -> member, `./` taken off. Links, folders and extended headers are passed over.

    Raises CheckpointError where the archive is cut off or a name climbs out of it.
    """
    members: dict[str, Member] = {}
    with open_regular(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        at = headers = 0
        while at + _BLOCK <= len(buffer) and buffer[at : at + 1] != b"\0":
            header = buffer[at : at + _BLOCK]
            _check_header(header, path)
            size = _size(header[124:136], path)
            headers += 1
            if size > len(buffer) - at - _BLOCK:
                raise CheckpointError("the archive is cut off", file=path, remedy=_DAMAGED)
            if header[156:157] in _REGULAR:
                members[_name(header, path)] = Member(at + _BLOCK, size)
            if headers > _MAX_MEMBERS:
                raise CheckpointError("more members than any real model has", file=path, remedy=_DAMAGED)
            at += _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    return members


def _check_header(header: bytes, path: Path) -> None:
    """Compare a header with its checksum: the sum of its bytes, which some writers took for signed ones."""
    summed = header[: _SUM.start] + b" " * (_SUM.stop - _SUM.start) + header[_SUM.stop :]
    total = sum(summed)
    signed = total - 256 * sum(byte > 127 for byte in summed)
    if _octal(header[_SUM]) not in (total, signed):
        raise CheckpointError("a header in the archive has a wrong checksum", file=path, remedy=_DAMAGED)


def _size(field: bytes, path: Path) -> int:
    """Never below zero, so that whoever goes from member to member arrives."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    size = _octal(field)
    if size is None:
        raise CheckpointError("a member of the archive has no size", file=path, got=repr(field), remedy=_DAMAGED)
    return size


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0") or b"0"
    return int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else None


def _name(header: bytes, path: Path) -> str:
    pieces = (header[345:500].split(b"\0")[0], header[:100].split(b"\0")[0])
    name = "/".join(piece.decode("utf-8", "replace") for piece in pieces if piece)
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise CheckpointError(
            "a member that climbs out of the archive", file=path, got=name[:120], remedy="Don't use this file."
        )
    return str(inside)
