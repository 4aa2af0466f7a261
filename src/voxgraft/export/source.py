"""find_source: which checkpoint `voxgraft export` means, given a run, a file or a voice's name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.config.load import load_config
from voxgraft.errors import ExportError
from voxgraft.export.piper.metadata import VoiceMetadata, metadata_of
from voxgraft.library.resolve import resolve
from voxgraft.project.run_folder import ProjectFolder, RunFolder, checkpoints_in, run_folder
from voxgraft.text.languages import language_of


@dataclass(frozen=True)
class Source:
    """`path` holds the weights; `last` is the run's newest whole checkpoint, None outside a run; `run` its folder."""

    path: Path
    run: RunFolder | None = None
    last: Path | None = None


def find_source(source: str | Path) -> Source:
    """A run's best checkpoint, or its last where none was called best; of a project, that of its run; otherwise what `resolve`
    finds.

    Raises ExportError for a run without a checkpoint, CheckpointError where nothing of that name exists.
    """
    path = Path(source).expanduser()
    run = run_folder(load_config(path)) if ProjectFolder(path).settings.is_file() else RunFolder(path)
    if not run.is_run:
        return Source(resolve(source))
    last = _newest(run.checkpoints)
    best = _newest(run.best) or last
    if best is None:
        raise ExportError(
            "this run has no checkpoint yet",
            file=run.path,
            remedy="Wait for its first, or go on with it: `voxgraft train --resume`.",
        )
    return Source(best, run, last)


def describe_voice(
    checkpoint: Checkpoint, *, name: str | None = None, language: str | None = None, consent: str | None = None
) -> VoiceMetadata:
    """Metadata of a checkpoint with what the user adds. `language` is an espeak-ng voice such as `en-us`.

    Raises ExportError where nobody says which language the voice speaks.
    """
    metadata = metadata_of(checkpoint, name, consent)
    if language is not None:
        return replace(metadata, symbols=replace(metadata.symbols, voice=language), language=language_of(language))
    if metadata.symbols.voice is None and metadata.symbols.text_kind == "espeak":
        path = checkpoint.provenance.path
        raise ExportError(
            "the checkpoint doesn't say which language it speaks",
            file=path,
            remedy=f"Say it (--language en-us), or put the voice's configuration beside it as {path.name}.json.",
        )
    return metadata


def _newest(folder: Path) -> Path | None:
    found = checkpoints_in(folder)
    return found[-1] if found else None
