"""Find the recording that a row names, inside the corpus folder and nowhere else."""

from __future__ import annotations

import os
import unicodedata
from functools import cache
from pathlib import Path

from voxgraft.audio.kinds import SOUND

FOLDERS = ("wavs", "wav", "audio", "clips", "")


class UnsafePath(ValueError):
    """A name that leads out of the corpus folder; the message says how."""


class Recordings:
    """The recordings below one folder, by the names that rows use for them.

    `roots`: other names of the folder, as those who wrote its table may have known it. `trusted`: its names may lead
    anywhere.
    """

    def __init__(
        self, folder: Path, follow_links: bool = False, trusted: bool = False, roots: tuple[Path, ...] = ()
    ) -> None:
        self.folder = folder
        self._roots = tuple(dict.fromkeys((folder, folder.resolve(), *roots)))
        self._follow_links = follow_links or trusted
        self._listing = cache(self._list)
        self._folders = cache(self._folders_in)

    def relative(self, name: str) -> str:
        """A name as it is, but an absolute one relative to the folder where it lies in it."""
        return self._within(name)[1]

    def find(self, name: str) -> Path | None:
        """The file of `name`, written with or without extension and folder; None where there is none. UnsafePath."""
        roots, name = self._within(name)
        parts = name.replace("\\", "/").split("/")
        leads_out = parts[0] == "" or ".." in parts or "\0" in name or ":" in parts[0]
        if leads_out and not self._follow_links:
            raise UnsafePath(f"{name!r:.200} leads out of the corpus folder")
        if os.path.isabs(name):
            return Path(name) if _is_there(name) else None
        parent = "/".join(part for part in parts[:-1] if part != ".")
        for root in roots:
            for folder in FOLDERS:
                where = self._spelt(root, f"{folder}/{parent}" if folder and parent else folder or parent)
                names = self._listing(where)
                entry = names.get(parts[-1]) or names.get(_key(parts[-1]))
                if entry is not None:
                    return self._inside(where, entry, name)
        return None

    def _within(self, name: str) -> tuple[tuple[Path, ...], str]:
        """Where a name may lie, and what it is called there."""
        if os.path.isabs(name) and ".." not in Path(name).parts:
            composed = _composed(name)
            for root in self._roots:
                if Path(composed).is_relative_to(_composed(str(root))):
                    return (root,), os.path.relpath(composed, _composed(str(root)))
        return self._roots, name

    def _list(self, where: Path) -> dict[str, str]:
        """Files of a folder by name; recordings, WAV before the others, also by name without extension. All of them also in
        small letters and composed, as file systems that came from elsewhere may spell them otherwise than a table."""
        try:
            with os.scandir(where) as entries:
                names = [e.name for e in entries if _is_there(e.path)]
        except (OSError, ValueError):
            return {}
        names.sort(key=lambda name: (_preference(name), name), reverse=True)
        sound = [n for n in names if _preference(n) < len(SOUND)]
        found = {_key(os.path.splitext(n)[0]): n for n in sound}
        return found | {_key(n): n for n in names} | {n: n for n in names}

    def _folders_in(self, where: Path) -> dict[str, str]:
        try:
            with os.scandir(where) as entries:
                return {_composed(e.name): e.name for e in entries if e.is_dir()}
        except (OSError, ValueError):
            return {}

    def _spelt(self, root: Path, where: str) -> Path:
        """A folder as it is spelt on disk: with composed letters or decomposed ones."""
        if where.isascii():
            return root / where
        for part in where.split("/"):
            known = self._folders(root)
            root /= part if part in known.values() else known.get(_composed(part), part)
        return root

    def _inside(self, folder: Path, entry: str, name: str) -> Path:
        """The file, which must not be a link elsewhere; folders may be links, for only who owns the corpus makes those."""
        path = folder / entry
        if not self._follow_links and not path.resolve().is_relative_to(folder.resolve()):
            inside = any(path.resolve().is_relative_to(root) for root in self._roots)
            if not inside:
                raise UnsafePath(f"{name!r:.200} is a link out of the corpus folder")
        return path


def utterance_id(name: str) -> str:
    """The id of a row that names its recording: without extension and without the folder that all share."""
    stem, suffix = os.path.splitext(within_folders(name))
    return stem if suffix.lower() in SOUND else f"{stem}{suffix}"


def within_folders(name: str) -> str:
    """The name of a recording without the folder that all share."""
    parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
    if len(parts) > 1 and parts[0].lower() in FOLDERS:
        parts = parts[1:]
    return "/".join(parts)


def _is_there(path: str) -> bool:
    """Whether something lies there that isn't a folder; whether it is a file that can be read is told by reading it."""
    return os.path.exists(path) and not os.path.isdir(path)


def _preference(name: str) -> int:
    suffix = os.path.splitext(name)[1].lower()
    return SOUND.index(suffix) if suffix in SOUND else len(SOUND)


def _key(name: str) -> str:
    return _composed(name).lower()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
