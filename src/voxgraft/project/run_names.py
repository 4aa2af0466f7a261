"""Names of runs that nobody named: a stem and a number."""

from __future__ import annotations

from pathlib import Path

from voxgraft.errors import TrainingError
from voxgraft.project.run_folder import checkpoints_in


def free_name(output: Path, stem: str) -> str:
    """The name of the next run: STEM-1, STEM-2, …"""
    number = 1
    while (output / "runs" / f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"


def unfinished(output: Path, stem: str) -> Path:
    """The last run of this stem that has checkpoints. Raises TrainingError where there is none."""
    runs = [path for path in (output / "runs").glob(f"{stem}-*") if checkpoints_in(path / "checkpoints")]
    if not runs:
        raise TrainingError("no run to go on with", file=output / "runs", remedy="Begin one without --resume.")
    return max(runs, key=lambda path: path.stat().st_mtime_ns)
