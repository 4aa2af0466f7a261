"""unpack: the files of a zip into one folder, nothing outside it, nothing larger than allowed."""

from __future__ import annotations

import errno
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from voxgraft.errors import CheckpointError
from voxgraft.library.entry import is_file_name

_MOST_FILES = 1000
_LARGEST = 20 * 10**9
_PIECE = 2**20


class NoRoom(CheckpointError):
    """A sound archive, and too little disk for what is in it."""


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of a zip into `folder`, flat: what they lie in is left out, as are links.

    Raises CheckpointError where it is damaged, holds too much, or two files would have the same name.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir() and not _is_link(member)]
            _check(members, archive, folder)
            for member in members:
                _write(content, member, folder / PurePosixPath(member.filename).name, archive)
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        raise _wrong(archive, f"can't be unpacked: {str(fault)[:120]}") from fault
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise _wrong(archive, f"can't be unpacked: {str(fault)[:120]}") from fault


def _check(members: list[zipfile.ZipInfo], archive: Path, folder: Path) -> None:
    names = [PurePosixPath(member.filename).name for member in members]
    total = sum(member.file_size for member in members)
    if any(".." in PurePosixPath(member.filename).parts or member.filename.startswith("/") for member in members):
        raise _wrong(archive, "the archive reaches outside its folder")
    if not all(is_file_name(name) for name in names):
        raise _wrong(archive, "the archive holds names that no file may have")
    if len(set(names)) != len(names):
        raise _wrong(archive, "the archive holds two files of one name")
    if len(members) > _MOST_FILES or total > _LARGEST:
        raise _wrong(archive, f"the archive holds {len(members)} files of {total} bytes, more than is allowed")
    if total > shutil.disk_usage(folder).free:
        raise NoRoom(
            f"unpacking needs {total / 1e9:.2f} GB, which are not free",
            file=folder,
            remedy="Free some disk space and try again: what was fetched is kept.",
        )


def _write(content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    left = member.file_size
    with content.open(member) as source, open(target, "xb") as file:
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise _wrong(archive, f"{target.name} is larger than the archive says")
            file.write(piece)


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _wrong(archive: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        problem, file=archive.name, remedy="Fetch it again, or unpack it yourself and add the folder."
    )
