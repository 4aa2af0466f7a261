"""find_vocoder: which vocoder renders what a text-to-spec model writes."""

from __future__ import annotations

from pathlib import Path

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.source import Source, find_source
from voxgraft.graft.vocoder import vocoder_fit
from voxgraft.library.bundled import bundled_for
from voxgraft.project.run_folder import checkpoints_in


def find_vocoder(asked: str | Path | None, source: Source | None, acoustic: Checkpoint) -> Checkpoint:
    """The vocoder that is asked for: a file, a run, an entry of the library; else the one that the model's run names, else
    the one that comes with voxgraft, where it reads such spectrograms.

    Raises CheckpointError where nothing of that name exists, ExportError where nobody names one.
    """
    named = named_vocoder(asked, source) or _bundled(acoustic)
    if named is None:
        raise ExportError(
            "a text-to-spec model needs a vocoder to be heard, and none is named",
            file=acoustic.provenance.path,
            field="vocoder",
            remedy="Name one: --vocoder VOCODER, a checkpoint, a run or an entry of the library.",
        )
    return open_checkpoint(find_source(named).path)


def _bundled(acoustic: Checkpoint) -> Path | None:
    path = bundled_for("vocoder")
    return path if path is not None and not vocoder_fit(acoustic, open_checkpoint(path)).refusals else None


def named_vocoder(asked: str | Path | None, source: Source | None) -> str | Path | None:
    """What names the vocoder: who asks, else the run that matched one to the model, else the settings of the model's own run;
    None where nobody does."""
    if asked is not None or source is None or source.run is None:
        return asked
    from voxgraft.config.run_file import load_run_config

    if checkpoints_in(source.run.matched.best):
        return source.run.matched.path
    return load_run_config(source.run.config).acoustic.vocoder
