"""Find the recording that a row names, inside the corpus folder and nowhere else."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif")
FOLDERS = ("wavs", "wav", "audio", "clips", "")


class UnsafePath(ValueError):
    """A name that leads out of the corpus folder; the message says how."""


class Recordings:
    """The recordings below one folder, by the names that rows use for them."""

    def __init__(self, folder: Path, follow_links: bool = False, trusted: bool = False) -> None:
        self.folder = folder
        self._root = folder.resolve()
        self._follow_links = follow_links or trusted
        self._listing = cache(self._list)

    def find(self, name: str) -> Path | None:
        """The file of `name`, written with or without extension and folder; None where there is none. UnsafePath."""
        parts = name.replace("\\", "/").split("/")
        leads_out = parts[0] == "" or ".." in parts or "\0" in name or ":" in parts[0]
        if leads_out and not self._follow_links:
            raise UnsafePath(f"{name!r:.200} leads out of the corpus folder")
        if os.path.isabs(name):
            return Path(name) if os.path.isfile(name) else None
        parent, last = "/".join(parts[:-1]), parts[-1].lower()
        for folder in FOLDERS:
            where = f"{folder}/{parent}" if folder and parent else folder or parent
            entry = self._listing(where).get(last)
            if entry is not None:
                return self._inside(self.folder / where / entry, name)
        return None

    def _list(self, where: str) -> dict[str, str]:
        """Recordings of a folder by name and by name without extension, lower case; WAV before the others."""
        try:
            with os.scandir(self.folder / where) as entries:
                names = [e.name for e in entries if e.name.lower().endswith(SUFFIXES) and e.is_file()]
        except (OSError, ValueError):
            return {}
        names.sort(key=lambda name: (SUFFIXES.index(os.path.splitext(name)[1].lower()), name), reverse=True)
        return {os.path.splitext(n)[0].lower(): n for n in names} | {n.lower(): n for n in names}

    def _inside(self, path: Path, name: str) -> Path:
        if not self._follow_links and not path.resolve().is_relative_to(self._root):
            raise UnsafePath(f"{name!r} is a link out of the corpus folder")
        return path


def utterance_id(name: str) -> str:
    """The id of a row that names its recording: without extension and without the folder that all share."""
    parts = name.replace("\\", "/").split("/")
    if len(parts) > 1 and parts[0].lower() in FOLDERS:
        parts = parts[1:]
    stem, suffix = os.path.splitext("/".join(parts))
    return stem if suffix.lower() in SUFFIXES else "/".join(parts)
