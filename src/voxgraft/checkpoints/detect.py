"""open_checkpoint: find out by content, never by name, what a file is, and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import CheckpointError

ENTRY_POINTS = "voxgraft.readers"


@dataclass(frozen=True)
class Reader:
    """A format: what it is called, what it reads in a few words, how to know it and how to read it.

    A third party registers one under the entry-point group `voxgraft.readers`.
    """

    name: str
    reads: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Checkpoint]


def readers() -> Iterator[Reader]:
    """Our own readers, then those that other packages registered."""
    from voxgraft.checkpoints.readers import piper_onnx

    yield Reader(
        piper_onnx.FORMAT, "exported Piper voices (.onnx with .onnx.json)", piper_onnx.recognises, piper_onnx.read
    )
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        yield entry.load()


def open_checkpoint(path: str | Path) -> Checkpoint:
    """Read any supported checkpoint; the values of its tensors stay on disk until they are asked for.

    Raises CheckpointError where the file is absent, damaged, hostile or of a kind that no reader knows.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError("there is no such file", file=path, remedy="Check the path.")
    try:
        if path.stat().st_size == 0:
            raise CheckpointError("the file is empty", file=path, remedy="Copy or download it again.")
        known = []
        for reader in readers():
            if reader.recognises(path):
                return reader.read(path)
            known.append(reader.reads)
    except OSError as fault:
        raise CheckpointError(
            f"can't be read: {fault.strerror}", file=path, remedy="Check the path and its permissions."
        ) from fault
    raise CheckpointError(
        "no checkpoint that is known here", file=path, expected=", or ".join(known), remedy="Give one of these."
    )
