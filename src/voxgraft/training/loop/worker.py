"""One process of several that train together: `python -m voxgraft.training.loop.worker RUN`, started by processes.py."""

from __future__ import annotations

import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Go on with a run from its last checkpoint."""
    from voxgraft.training.loop.processes import end_with_parent, failures_reported
    from voxgraft.training.run import go_on

    end_with_parent()
    with failures_reported():
        go_on(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
