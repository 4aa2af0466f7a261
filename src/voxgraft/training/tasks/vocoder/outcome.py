"""What a vocoder's run has to show at its end."""

from __future__ import annotations

from pathlib import Path

from voxgraft.json_file import read_object
from voxgraft.project.run_folder import RunFolder
from voxgraft.training.loop.validation import Best, best_of
from voxgraft.training.tasks.task import Outcome

_REMEDY = "Restore the file from a copy, or go on with the run for more steps (--resume --set training.steps=…)."


def outcome(folder: Path) -> Outcome:
    """The best vocoder of a run: its weights, and what was exported of it, as far as they are there."""
    run = RunFolder(folder)
    best = best_of(read_object(run.best_record, remedy=_REMEDY)) if run.best_record.is_file() else None
    files = {"exported": run.vocoder, "weights": run.best / best.weights if best is not None else run.best}
    files = {name: path for name, path in files.items() if path.is_file()}
    values = {
        "vocoder": str(files["exported"]) if "exported" in files else None,
        "weights": str(files["weights"]) if "weights" in files else None,
        "best": None if best is None else _measured(best),
    }
    lines = [f"best weights: {files['weights']}"] if "weights" in files else []
    lines += [f"exported: {files['exported']}"] if "exported" in files else []
    return Outcome(tuple(lines), values, files)


def _measured(best: Best) -> dict[str, float | int | None]:
    return {"step": best.step, "mel_distance": best.mel_distance, "stft_distance": best.stft_distance}
