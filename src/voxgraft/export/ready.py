"""What is ready to run without torch: text-to-spec models and vocoders as .onnx, exported once into a cache where needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.acoustic.families import READS, require_task, require_text_to_spec
from voxgraft.export.pair.vocoder import find_vocoder
from voxgraft.export.source import Source, find_source
from voxgraft.inference.acoustic.acoustic import Acoustic
from voxgraft.inference.acoustic.pair import VOCODER, SpokenPair, require_fit
from voxgraft.inference.vocoder.vocoder import Vocoder
from voxgraft.library.folder import home
from voxgraft.library.lock import locked
from voxgraft.progress import notice

_CACHE = "spoken"


@dataclass(frozen=True)
class Ready:
    """A text-to-spec model that runs; `checkpoint` and `source` are what it was exported from, None for an exported file."""

    acoustic: Acoustic
    checkpoint: Checkpoint | None = None
    source: Source | None = None


@dataclass(frozen=True)
class ReadyVocoder:
    """A vocoder that runs; `checkpoint` as in `Ready`."""

    vocoder: Vocoder
    checkpoint: Checkpoint | None = None


def ready_acoustic(name: str | Path, *, threads: int | None = None, seed: int | None = None) -> Ready:
    """Of an exported .onnx, a checkpoint, a run or an entry of the library. Raises CheckpointError, ExportError."""
    exported = _exported(name)
    if exported is not None:
        return Ready(Acoustic.load(exported, threads=threads, seed=seed))
    source = find_source(name)
    checkpoint = open_checkpoint(source.path)
    require_text_to_spec(checkpoint)

    def export(folder: Path) -> Path:
        from voxgraft.export.acoustic.onnx import export_acoustic

        return export_acoustic(checkpoint, folder, "acoustic")

    path = _cached(checkpoint, "acoustic.onnx", export)
    return Ready(Acoustic.load(path, threads=threads, seed=seed), checkpoint, source)


def ready_vocoder(name: str | Path | None, acoustic: Ready, *, threads: int | None = None) -> ReadyVocoder:
    """The vocoder that is asked for, or that the model's run names, or that lies beside an exported model; it fits the model.

    Raises CheckpointError, ExportError.
    """
    found = _vocoder(name, acoustic, threads)
    require_fit(acoustic.acoustic, found.vocoder)
    return found


def alone(name: str | Path, *, threads: int | None = None) -> ReadyVocoder:
    """A vocoder without a model before it."""
    exported = _exported(name)
    if exported is not None:
        return ReadyVocoder(Vocoder.load(exported, threads=threads))
    return _of_checkpoint(open_checkpoint(find_source(name).path), threads)


def pair_of(acoustic: Ready, vocoder: ReadyVocoder) -> SpokenPair:
    """Both as something that speaks."""
    return SpokenPair(acoustic.acoustic, vocoder.vocoder)


def _vocoder(name: str | Path | None, acoustic: Ready, threads: int | None) -> ReadyVocoder:
    if name is not None:
        return alone(name, threads=threads)
    if acoustic.checkpoint is not None:
        return _of_checkpoint(find_vocoder(None, acoustic.source, acoustic.checkpoint), threads)
    beside = acoustic.acoustic.path.with_name(VOCODER)
    if not beside.is_file():
        raise ExportError(
            "a text-to-spec model needs a vocoder to be heard, and none is named",
            file=acoustic.acoustic.path,
            field="vocoder",
            remedy="Name one: --vocoder VOCODER, a checkpoint, a run or an entry of the library.",
        )
    return ReadyVocoder(Vocoder.load(beside, threads=threads))


def _of_checkpoint(checkpoint: Checkpoint, threads: int | None) -> ReadyVocoder:
    require_task(checkpoint, READS, "a vocoder")

    def export(folder: Path) -> Path:
        from voxgraft.export.vocoder.onnx import export_vocoder

        return export_vocoder(checkpoint, folder / VOCODER)

    return ReadyVocoder(Vocoder.load(_cached(checkpoint, VOCODER, export), threads=threads), checkpoint)


def _exported(name: str | Path) -> Path | None:
    """A .onnx that is there."""
    path = Path(name).expanduser()
    return path if path.suffix == ".onnx" and path.is_file() else None


def _cached(checkpoint: Checkpoint, name: str, export: Callable[[Path], Path]) -> Path:
    from voxgraft import __version__

    key = "\n".join((checkpoint.provenance.sha256, name, __version__))
    folder = home() / _CACHE / hashlib.sha256(key.encode()).hexdigest()[:32]
    source = checkpoint.provenance.path.name
    with locked(folder.with_name(f".{folder.name}.lock"), waiting=f"another process is exporting {source}"):
        if not (folder / name).is_file():
            notice(f"exporting {source} to speak with it; that is done once")
            export(folder)
    return folder / name
