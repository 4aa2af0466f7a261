"""What a run of a text-to-spec model has to show at its end."""

from __future__ import annotations

import shlex
from pathlib import Path

from voxgraft.json_file import read_object
from voxgraft.project.run_folder import RunFolder
from voxgraft.training.loop.validation import Best, best_of
from voxgraft.training.tasks.task import Outcome


def outcome(folder: Path) -> Outcome:
    """The best weights of a run, as they lie in its folder now."""
    run = RunFolder(folder)
    best = _best(run)
    weights = run.best / best.weights if best is not None and best.weights else None
    if best is None or weights is None or not weights.is_file():
        return Outcome(values={"weights": None, "best": None})
    told = {"step": best.step, "mel_distance": best.mel_distance, "duration_error": best.duration_error}
    lines = (
        f"best model: {weights}",
        f"next: voxgraft match {shlex.quote(str(run.project.path))}",
    )
    return Outcome(lines, {"weights": str(weights), "best": told}, {"weights": weights})


def _best(run: RunFolder) -> Best | None:
    if not run.best_record.is_file():
        return None
    remedy = "Restore the file from a copy, or go on with the run for more steps (--resume --set training.steps=…)."
    return best_of(read_object(run.best_record, remedy=remedy))
