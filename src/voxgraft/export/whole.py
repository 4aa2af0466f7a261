"""whole_or_nothing: several files that appear together or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxgraft.errors import ExportError
from voxgraft.files import discard, name_beside


@contextmanager
def whole_or_nothing(folder: Path, name: str) -> Iterator[Path]:
    """A hidden folder whose files move into `folder` at the end, `name` last; on any failure it vanishes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = name_beside(folder / name)
        partial.mkdir()
    except OSError as fault:
        raise _unwritable(folder, fault) from fault
    try:
        yield partial
        for file in sorted(partial.iterdir(), key=lambda file: file.name == name):
            os.replace(file, folder / file.name)
    except OSError as fault:
        raise _unwritable(folder, fault) from fault
    finally:
        discard(partial)


def _unwritable(folder: Path, fault: OSError) -> ExportError:
    return ExportError(
        f"can't write there: {fault.strerror or fault}",
        file=folder,
        remedy="Choose a folder that you may write to, on a disk with a few hundred megabytes free.",
    )
