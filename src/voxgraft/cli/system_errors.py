"""explained: what the system refuses (no room, no permission, a file in a folder's place), as one error with a remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from voxgraft.errors import VoxgraftError

_ROOM = "Free some space there, or choose a place on another disk."
_ANOTHER_PLACE = "Check who owns it and its permissions, or choose another place."
_WORDS: Mapping[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("your quota of this disk is used up", _ROOM),
    errno.EFBIG: ("the file is larger than is allowed there", "Choose a place on another disk."),
    errno.EROFS: ("the disk can only be read", "Choose a place on a disk that can be written to."),
    errno.EACCES: ("permission is denied", _ANOTHER_PLACE),
    errno.EPERM: ("permission is denied", _ANOTHER_PLACE),
    errno.ENOTDIR: ("a file is where a folder should be", "Choose another place, or move that file away."),
    errno.EEXIST: ("a file is where a folder should be", "Choose another place, or move that file away."),
    errno.EISDIR: ("a folder is where a file should be", "Name a file in it, or choose another place."),
    errno.ENOTEMPTY: ("the folder is not empty", "Choose another place, or empty that folder."),
    errno.ENOENT: ("there is no such file or folder", "Check the path."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ELOOP: ("the links lead in a circle", "Mend the link, or name the file that it should lead to."),
    errno.EXDEV: ("it lies on another disk", "Choose a place on the same disk."),
    errno.ETXTBSY: ("another program is using it", "End that program and try again."),
    errno.EBUSY: ("another program is using it", "End that program and try again."),
    errno.EMFILE: ("too many files are open", "Close other programs, or raise the limit with `ulimit -n`."),
    errno.ENFILE: ("too many files are open", "Close other programs and try again."),
    errno.ENOMEM: ("there is not enough memory", "Close other programs, or use a machine with more memory."),
    errno.EIO: ("the disk can't be read or written", "Check the disk and its cable, then try again."),
    errno.ESTALE: ("the network disk has changed", "Connect it again, then try again."),
    errno.EINVAL: ("this can't be done with such a file", "Check the path, or choose another place."),
}


def explained(fault: OSError) -> VoxgraftError | None:
    """The same for a person; None where it speaks of no file and of nothing that a person could mend."""
    number = fault.errno or 0
    if number not in _WORDS and fault.filename is None:
        return None
    problem, remedy = _WORDS.get(number, (fault.strerror or str(fault), "Check the path and the disk."))
    if number == errno.EEXIST and _is_folder(fault.filename):
        problem, remedy = "a folder of that name is there already", "Choose another name, or move that folder away."
    return VoxgraftError(problem, file=_shown(fault.filename), remedy=remedy)


def _is_folder(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike) and os.path.isdir(name)


def _shown(name: object) -> str | None:
    """A file's name as text; descriptors and what is unknown are left out."""
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else None
