"""What a voice's run has to show at its end."""

from __future__ import annotations

import shlex
from pathlib import Path

from voxgraft.json_file import read_object
from voxgraft.project.run_folder import RunFolder
from voxgraft.training.loop.validation import Best, best_of
from voxgraft.training.tasks.task import Outcome


def outcome(folder: Path) -> Outcome:
    """The best voice of a run, as it lies in the project now."""
    run = RunFolder(folder)
    best = _best(run)
    voice = run.project.path / best.exported if best is not None and best.exported is not None else None
    if voice is not None and not voice.is_file():
        voice = None
    values = {
        "voice": None if voice is None else str(voice),
        "best": None
        if best is None
        else {"step": best.step, "cer": best.cer, "speaker_similarity": best.speaker_similarity},
    }
    if voice is None:
        return Outcome(values=values)
    lines = (f"best voice: {voice}", f'next: voxgraft say {shlex.quote(str(voice))} "Some words." -o words.wav')
    return Outcome(lines, values, {"exported": voice})


def _best(run: RunFolder) -> Best | None:
    if not run.best_record.is_file():
        return None
    remedy = "Restore the file from a copy, or go on with the run for more steps (--resume --set training.steps=…)."
    return best_of(read_object(run.best_record, remedy=remedy))
