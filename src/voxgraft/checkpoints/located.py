"""Faults found deep inside a file, told with the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxgraft.errors import CheckpointError


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Raise CheckpointErrors from within again with the file that they are about."""
    try:
        yield
    except CheckpointError as fault:
        if fault.file is not None:
            raise
        raise CheckpointError(
            fault.problem, file=path, field=fault.field, expected=fault.expected, got=fault.got, remedy=fault.remedy
        ) from fault
