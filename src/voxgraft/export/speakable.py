"""speakable: anything that names a voice, as the .onnx that says something now; exported or fetched first where needed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.formats.piper import onnx_voice as piper_onnx
from voxgraft.library.catalogue import load_catalogue
from voxgraft.library.entry import size_words
from voxgraft.library.folder import home
from voxgraft.library.lock import locked
from voxgraft.library.resolve import resolve
from voxgraft.library.store import Library
from voxgraft.progress import notice

_CACHE = "spoken"


def speakable(name: str, language: str | None = None) -> Path:
    """The .onnx of a checkpoint, a run, an entry of the library or one of the catalogue, which is fetched.

    A checkpoint is exported once, into a cache by its hash; that takes the extra `train`. `language` is what it speaks,
    where it doesn't say so itself. Raises CheckpointError, ExportError, MissingExtra.
    """
    from voxgraft.export.source import find_source

    library = Library()
    exists = Path(name).expanduser().exists()
    entry = None if exists else library.find(name)
    if entry is None and not exists:
        base = load_catalogue().find(name)
        if base is not None:
            from voxgraft.library.obtain import obtain

            notice(f"{base.name} is not in the library: fetching it ({size_words(base.size)})")
            entry = obtain(base, library).entry
    if entry is not None:
        path, language = library.path(entry), language or entry.slot.language
    else:
        path = find_source(name).path if exists else resolve(name)
    checkpoint = open_checkpoint(path)
    if checkpoint.provenance.format == piper_onnx.FORMAT:
        return path
    return _exported(checkpoint, language, entry.name.split("/")[2] if entry is not None else None)


def _exported(checkpoint: Checkpoint, language: str | None, title: str | None) -> Path:
    from voxgraft import __version__
    from voxgraft.export.piper.load import load_vits
    from voxgraft.export.piper.voice import export_piper
    from voxgraft.export.source import describe_voice

    path = checkpoint.provenance.path
    says = checkpoint.symbols is not None and checkpoint.symbols.voice is not None
    spoken = None if says else language
    key = "\n".join((checkpoint.provenance.sha256, spoken or "", title or "", __version__))
    folder = home() / _CACHE / hashlib.sha256(key.encode()).hexdigest()[:32]
    with locked(folder.with_name(f".{folder.name}.lock"), waiting=f"another process is exporting {path.name}"):
        there = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
        if there:
            return there[0]
        metadata = describe_voice(checkpoint, name=title, language=spoken)
        notice(f"exporting {path.name} to speak with it; that is done once")
        return export_piper(load_vits(checkpoint).model, metadata, folder)
