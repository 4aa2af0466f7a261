"""speakable: anything that names a voice, as the .onnx that says something now; exported or fetched first where needed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.formats.piper import onnx_voice as piper_onnx
from voxgraft.errors import ExportError
from voxgraft.library.catalogue import load_catalogue
from voxgraft.library.entry import size_words
from voxgraft.library.folder import home
from voxgraft.library.lock import locked
from voxgraft.library.resolve import resolve
from voxgraft.library.store import Library
from voxgraft.progress import notice

_CACHE = "spoken"


def speakable(name: str, language: str | None = None, vocoder: str | None = None) -> Path:
    """The .onnx of a checkpoint, a run, an entry of the library or one of the catalogue, which is fetched.

    A checkpoint is exported once, into a cache by its hash; that takes the extra `train`. `language` is what it speaks,
    where it doesn't say so itself; `vocoder` renders what a text-to-spec model writes, its run's own where none is named.
    Raises CheckpointError, ExportError, MissingExtra.
    """
    from voxgraft.export.source import Source, find_source

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
        source = Source(path)
    else:
        source = find_source(name) if exists else Source(resolve(name))
    checkpoint = open_checkpoint(source.path)
    title = entry.name.split("/")[2] if entry is not None else None
    if family_of(checkpoint.family).kind == "text-to-spec":
        from voxgraft.export.pair.vocoder import find_vocoder

        return _exported(checkpoint, find_vocoder(vocoder, source, checkpoint), language, title)
    if family_of(checkpoint.family).kind == "spec-to-wav":
        raise ExportError(
            "this is a vocoder: it renders what a text-to-spec model writes, and reads no text itself",
            file=source.path,
            remedy="Give the text-to-spec model, and this with --vocoder.",
        )
    if vocoder is not None:
        raise ExportError(
            "only a text-to-spec model takes a vocoder",
            file=source.path,
            field="vocoder",
            got=f"{family_of(checkpoint.family).title} ({family_of(checkpoint.family).kind})",
            remedy="Leave --vocoder out, or give a text-to-spec model.",
        )
    if checkpoint.provenance.format == piper_onnx.FORMAT:
        return source.path
    return _exported(checkpoint, None, language, title)


def _exported(checkpoint: Checkpoint, vocoder: Checkpoint | None, language: str | None, title: str | None) -> Path:
    """The voice of a checkpoint, alone or with its vocoder, from the cache where it is there."""
    from voxgraft import __version__

    path = checkpoint.provenance.path
    says = (checkpoint.symbols is not None and checkpoint.symbols.voice is not None) or len(checkpoint.languages) > 1
    spoken = None if says else language
    rendered = (vocoder.provenance.sha256,) if vocoder is not None else ()
    key = "\n".join((checkpoint.provenance.sha256, *rendered, spoken or "", title or "", __version__))
    folder = home() / _CACHE / hashlib.sha256(key.encode()).hexdigest()[:32]
    with locked(folder.with_name(f".{folder.name}.lock"), waiting=f"another process is exporting {path.name}"):
        there = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
        if there:
            return there[0]
        if vocoder is not None:
            return _exported_pair(checkpoint, vocoder, spoken, title, folder)
        from voxgraft.export.piper.load import load_vits
        from voxgraft.export.piper.voice import export_piper
        from voxgraft.export.source import describe_voice

        metadata = describe_voice(checkpoint, name=title, language=spoken)
        notice(f"exporting {path.name} to speak with it; that is done once")
        return export_piper(load_vits(checkpoint).model, metadata, folder)


def _exported_pair(
    acoustic: Checkpoint, vocoder: Checkpoint, language: str | None, title: str | None, folder: Path
) -> Path:
    from voxgraft.export.pair.pair import describe_pair, load_pair
    from voxgraft.export.pair.voice import export_pair

    pair = load_pair(acoustic, vocoder)
    metadata = describe_pair(pair, name=title, language=language)
    names = f"{acoustic.provenance.path.name} with {vocoder.provenance.path.name}"
    notice(f"exporting {names} to speak with them; that is done once")
    return export_pair(pair, metadata, folder, for_piper=False)
