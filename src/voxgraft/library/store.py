"""Library: bases on disk, their files kept once by content, safe with several processes at work."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from voxgraft.errors import CheckpointError
from voxgraft.files import discard, name_beside, sha256_of, write_atomically
from voxgraft.json_file import json_fault
from voxgraft.library.entry import Entry, StoredFile, entry_from, file_stem, is_name
from voxgraft.library.folder import library_folder
from voxgraft.library.index import Index
from voxgraft.library.lock import locked

ENTRIES, FILES, STAGING, DOWNLOADS, INDEX, LOCK = "entries", "files", "staging", "downloads", "index.json", ".lock"
# Seconds after which nobody goes on with a download.
_LONGEST_KEPT = 30 * 86_400
OWN_NAMES = frozenset({ENTRIES, FILES, STAGING, DOWNLOADS, INDEX, LOCK})


class Library:
    """The bases under a folder: `entries/NAME.json` describe them, `files/HASH/` hold their files.

    What reads needs no lock: entries and the folders of files appear whole or not at all.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or library_folder()

    def contents(self) -> Index:
        """All bases, sorted by name, and what is wrong with the descriptions that can't be read."""
        return Index.read(self.folder / ENTRIES, self.folder / INDEX)

    def entries(self) -> list[Entry]:
        """All bases, sorted by name; damaged descriptions are left out: see `contents`."""
        return self.contents().entries

    def loose(self) -> list[Path]:
        """Files and folders that somebody put into the library's folder by hand."""
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if p.name not in OWN_NAMES and not p.name.startswith("."))

    def find(self, name: str) -> Entry | None:
        """The base of that name, whole or by its end where that is unambiguous (`joe/vits-medium`); None without one.

        Raises CheckpointError where several end so.
        """
        name = name.replace("--", "/", 3) if "/" not in name else name
        if is_name(name):
            return self._read(name)
        if not name or name.startswith("/"):
            return None
        parts = name.lower().split("/")
        found = [entry for entry in self.entries() if _holds(entry.name.lower().split("/"), parts)]
        if len(found) > 1:
            names = ", ".join(entry.name for entry in found[:6]) + (", …" if len(found) > 6 else "")
            raise CheckpointError(f"there are {len(found)} such bases: {names}", file=name, remedy="Give a whole name.")
        return found[0] if found else None

    def get(self, name: str) -> Entry:
        """As `find`, but raises CheckpointError with near matches where there is none."""
        entry = self.find(name)
        if entry is not None:
            return entry
        import difflib

        near = difflib.get_close_matches(name, [entry.name for entry in self.entries()], 3, 0.4)
        hint = f"Did you mean {', '.join(near)}? " if near else ""
        raise CheckpointError(
            "there is no such base in the library", file=name, remedy=f"{hint}See `voxgraft library list`."
        )

    def path(self, entry: Entry) -> Path:
        """The checkpoint of a base: its file, or the folder where that is the checkpoint."""
        folder = self.folder / FILES / entry.content
        return folder if entry.main is None else folder / entry.main

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty folder on the library's disk, to gather the files of a base in; gone afterwards."""
        (self.folder / STAGING).mkdir(parents=True, exist_ok=True)
        folder = name_beside(self.folder / STAGING / "base")
        try:
            folder.mkdir()
            yield folder
        finally:
            discard(folder)

    def add(self, entry: Entry, staged: Path, *, replacing: bool = False) -> Entry:
        """Take the files in `staged` (moved) under the description `entry`, whose `files` and `content` are found here.

        The same content under the same name only renews the description. Another content under a name that is taken
        gets the next free name `…-2`, unless `replacing`. Returns the entry as it was written.
        """
        files = stored_files(staged)
        entry = replace(entry, files=files, content=content_of(files), added=entry.added or time.strftime("%Y-%m-%d"))
        if entry.main is None:
            entry = replace(entry, sha256=entry.content)
        with self._locked():
            taken = self._read(entry.name)
            if taken is not None and taken.content != entry.content and not replacing:
                entry = replace(entry, name=self._free_name(entry))
                taken = self._read(entry.name)
            place = self.folder / FILES / entry.content
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                for file in files:
                    _sync(staged / file.name)
                staged.chmod(0o755)
                os.rename(staged, place)
            entry = replace(entry, chosen=entry.chosen or (taken is not None and taken.chosen))
            self._write(entry)
            self._drop_unused()
        return entry

    def choose(self, name: str) -> Entry:
        """Make a base the default of its slot."""
        with self._locked():
            chosen = self.get(name)
            for entry in self.entries():
                if entry.chosen and entry.slot == chosen.slot and entry.name != chosen.name:
                    self._write(replace(entry, chosen=False))
            chosen = replace(chosen, chosen=True)
            self._write(chosen)
        return chosen

    def remove(self, name: str) -> Entry:
        """Take a base out of the library; its files go with the last entry that has them."""
        with self._locked():
            entry = self.get(name)
            self._place(entry.name).unlink()
            self._drop_unused()
        return entry

    def verify(self, entry: Entry) -> list[str]:
        """What is wrong with the files of a base, in words; nothing where all hashes are right."""
        problems = []
        folder = self.folder / FILES / entry.content
        for file in entry.files:
            path = folder / file.name
            if not path.is_file():
                problems.append(f"{file.name} is missing")
            elif path.stat().st_size != file.size:
                problems.append(f"{file.name} has {path.stat().st_size} bytes instead of {file.size}")
            elif sha256_of(path) != file.sha256:
                problems.append(f"{file.name} is damaged: its SHA-256 is another")
        return problems

    def disk_use(self) -> int:
        """Bytes of all that the library holds, unfinished downloads included."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def drop_old_downloads(self, but: str) -> None:
        """Delete what was fetched in part, or kept for another try, and not touched for a month, `but` the one of that name."""
        for folder in _folders(self.folder / DOWNLOADS):
            if folder.name == but:
                continue
            with suppress(OSError):
                if time.time() - _last_change(folder) > _LONGEST_KEPT:
                    shutil.rmtree(folder, ignore_errors=True)

    def _locked(self) -> AbstractContextManager[None]:
        return locked(
            self.folder / LOCK, waiting="another process is changing the library; waiting for it", longest=600
        )

    def _place(self, name: str) -> Path:
        return self.folder / ENTRIES / f"{file_stem(name)}.json"

    def _read(self, name: str) -> Entry | None:
        place = self._place(name)
        if not place.is_file():
            return None
        try:
            return entry_from(json.loads(place.read_bytes()), str(place))
        except (ValueError, RecursionError) as fault:
            raise CheckpointError(
                f"damaged description of a base: {json_fault(fault)}",
                file=place,
                remedy="Delete it and add the base again.",
            ) from fault

    def _write(self, entry: Entry) -> None:
        write_atomically(self._place(entry.name), json.dumps(entry.to_dict(), ensure_ascii=False, indent=1) + "\n")

    def _free_name(self, entry: Entry) -> str:
        """The same name with the lowest number behind it that is free, or holds the same content."""
        for number in range(2, 100_000):
            name = f"{entry.name}-{number}"
            there = self._read(name)
            if there is None or there.content == entry.content:
                return name
        raise AssertionError("no free name")

    def _drop_unused(self) -> None:
        """Delete files that no entry has; under the lock."""
        contents = self.contents()
        used = {entry.content for entry in contents.entries}
        # A description that can't be read may still have files.
        if not contents.faults:
            for folder in _folders(self.folder / FILES):
                if folder.name not in used:
                    shutil.rmtree(folder, ignore_errors=True)


def stored_files(folder: Path) -> tuple[StoredFile, ...]:
    """Name, hash and size of every file in a folder, sorted by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return tuple(StoredFile(path.name, sha256_of(path), path.stat().st_size) for path in paths)


def content_of(files: Iterable[StoredFile]) -> str:
    """The hash of the only file, or of the names and hashes of all."""
    files = tuple(files)
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(f"{file.sha256}  {file.name}\n" for file in files).encode()).hexdigest()


def _holds(name: list[str], parts: list[str]) -> bool:
    """Whether `parts` are some neighbouring parts of a name."""
    return any(name[start : start + len(parts)] == parts for start in range(len(name) - len(parts) + 1))


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _last_change(folder: Path) -> float:
    """When anything in a folder was written last, in seconds."""
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
