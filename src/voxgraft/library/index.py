"""Index: the descriptions of all bases, read anew only where their files changed since."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular, write_atomically
from voxgraft.json_file import json_fault
from voxgraft.library.entry import VERSION, Entry, entry_from, file_stem

_LARGEST_ENTRY = 2**20


class Index:
    """What the entries' files said when they were last read, kept in one file that may be deleted at any time."""

    def __init__(self, entries: list[Entry], faults: list[CheckpointError]) -> None:
        self.entries = entries
        self.faults = faults

    @classmethod
    def read(cls, folder: Path, cache: Path) -> Index:
        """The entries described in a folder, with the help of the cache file, which is renewed where it was old."""
        known = _cached(cache)
        fresh: dict[str, list[Any]] = {}
        entries, faults = [], []
        for name, stamp in _stamps(folder):
            kept = known.get(name)
            try:
                data = kept[2] if kept is not None and kept[:2] == stamp else _load(folder / name)
                entry = entry_from(data, f"{folder}/{name}")
                if f"{file_stem(entry.name)}.json" != name:
                    raise CheckpointError(
                        "the name in it is another than the file's",
                        file=folder / name,
                        field="name",
                        expected=name,
                        got=entry.name,
                        remedy="Delete it and add the base again.",
                    )
                entries.append(entry)
            except CheckpointError as fault:
                faults.append(fault)
                continue
            fresh[name] = [*stamp, data]
        if fresh != known and folder.is_dir():
            # The cache only saves time: a library that can't be written to is read all the same.
            with suppress(OSError):
                write_atomically(cache, json.dumps({"version": VERSION, "entries": fresh}, ensure_ascii=False))
        return cls(sorted(entries, key=lambda entry: entry.name), faults)


def _stamps(folder: Path) -> list[tuple[str, list[int]]]:
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as scan:
        for item in scan:
            if item.name.endswith(".json") and not item.name.startswith(".") and item.is_file():
                status = item.stat()
                found.append((item.name, [status.st_mtime_ns, status.st_size]))
    return found


def _cached(cache: Path) -> dict[str, list[Any]]:
    """File name -> [modified, size, description], as far as the cache holds it."""
    try:
        document = json.loads(cache.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    entries = document.get("entries") if isinstance(document, dict) and document.get("version") == VERSION else None
    if not isinstance(entries, dict):
        return {}
    return {name: kept for name, kept in entries.items() if isinstance(kept, list) and len(kept) == 3}


def _load(path: Path) -> object:
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST_ENTRY + 1)
        if len(content) > _LARGEST_ENTRY:
            raise ValueError(f"more than {_LARGEST_ENTRY} bytes")
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as fault:
        raise CheckpointError(
            f"damaged description of a base: {json_fault(fault)}", file=path, remedy="Delete it and add the base again."
        ) from fault
