"""How long `voxgraft inspect` takes on each checkpoint given, in a fresh process, best of three.

    python -m benchmarks.inspect_files FILE_OR_FOLDER ...

Without arguments: the authentic tiny checkpoints of every format that the tests keep.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.inspect_checkpoint import OURS, measure
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.cli.output import print_table
from voxgraft.errors import CheckpointError

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"


def row(path: Path) -> tuple[str, ...]:
    """Name, format, family, size in MB and seconds of one checkpoint."""
    facts = inspection_of(open_checkpoint(path))
    seconds, _ = measure(OURS, path)
    name = "/".join(path.parts[-2:])
    return name, facts["format"], facts["family"], f"{facts['bytes'] / 1e6:.1f}", f"{seconds:.2f}"


def tiny_checkpoints() -> list[Path]:
    """Every file and folder of the tests' fixtures that opens."""
    found = []
    for path in sorted([*FIXTURES.rglob("*")]):
        try:
            open_checkpoint(path)
        except CheckpointError:
            continue
        found.append(path)
    return found


def main(names: list[str]) -> None:
    """Print one table."""
    paths = [Path(name) for name in names] or tiny_checkpoints()
    print_table("", ("checkpoint", "format", "family", "MB", "seconds"), map(row, paths))


if __name__ == "__main__":
    main(sys.argv[1:])
