"""shelve: put a checkpoint into the library, described by what is in it."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.open import open_checkpoint
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.library.catalogue import Catalogue, load_catalogue
from voxgraft.library.entry import QUALITIES, Entry, Slot, name_of_stem, word
from voxgraft.library.languages import plain_language
from voxgraft.library.resolve import only_checkpoint
from voxgraft.library.store import Library
from voxgraft.library.textymcspeechy import epoch_and_step

_TYPES = {
    "voice": "tts_models",
    "text-to-spec": "tts_models",
    "spec-to-wav": "vocoder_models",
    "recogniser": "stt_models",
}
# What belongs to a checkpoint that is one file, by its name or as its publishers call it.
_NAMED = ("{name}.json", "{stem}.json")
_BESIDE = (
    "config.json", "config.yaml", "MODEL_CARD", "MODEL_CARD.md", "speakers.pth", "speakers.json", "speaker_ids.json",
    "speaker_ids.pth", "language_ids.json", "vocab.json", "vocab.txt", "tokenizer_config.json",
    "special_tokens_map.json", "alphabet.txt", "flags.txt", "scale_stats.npy",
)  # fmt: skip
_LARGEST_BESIDE = 256 * 2**20


class LanguageNotKnown(CheckpointError):
    """A whole checkpoint that doesn't say which language it speaks."""


@dataclass(frozen=True)
class Stated:
    """What the user or a catalogue says of a base; None is found out where it can be."""

    name: str | None = None
    dataset: str | None = None
    language: str | None = None
    voice_type: str | None = None
    licence: str | None = None
    source: str | None = None
    note: str | None = None
    generic: bool = False


@dataclass(frozen=True)
class Shelved:
    """The entry, and what is worth saying about it."""

    entry: Entry
    remarks: tuple[str, ...]


def shelve(
    path: Path, library: Library, stated: Stated = Stated(), *, moving: bool = False, replacing: bool = False
) -> Shelved:
    """Copy (or move) a checkpoint with what belongs to it into the library. Family, quality, sample rate, language and
    counters come from its content; `stated` says the rest, and wins for the language.

    Raises CheckpointError where it can't be opened, or its language can't be known and isn't stated.
    """
    path = only_checkpoint(path) if path.is_dir() else path
    checkpoint = open_checkpoint(path)
    remarks = list(checkpoint.notes)
    entry = _described(checkpoint, path, stated, remarks)
    return Shelved(_stored(entry, path, library, moving, replacing), tuple(remarks))


def _described(checkpoint: Checkpoint, path: Path, stated: Stated, remarks: list[str]) -> Entry:
    """The entry of a checkpoint, its files still to be named; `remarks` gets what is worth saying."""
    kind = _TYPES[family_of(checkpoint.family).kind]
    language = stated.language or _language(checkpoint)
    if language is None and kind != "vocoder_models" and len(checkpoint.languages) < 2:
        raise LanguageNotKnown(
            "doesn't say which language it speaks", file=path, remedy="Say it with --language, as in --language de."
        )
    language = plain_language(language) if language else None
    dataset = word(stated.dataset) if stated.dataset else _dataset(checkpoint, path)
    quality = checkpoint.quality if checkpoint.quality in QUALITIES else None
    voice_type = stated.voice_type or _voice_type(checkpoint, language, dataset, load_catalogue())
    if voice_type is None and kind == "tts_models":
        remarks.append("whether it is a man's or a woman's voice isn't known: say it with --voice-type M, F or other")
    epoch, step = _counters(checkpoint, path, remarks)
    name = stated.name or _published_name(path if path.is_dir() else path.parent)
    origin = checkpoint.provenance
    return Entry(
        name=name or "/".join((kind, language or _no_language(checkpoint), dataset, _model(checkpoint, quality))),
        family=checkpoint.family,
        format=origin.format,
        content="",
        sha256=origin.sha256,
        files=(),
        main=None,
        slot=Slot(language, voice_type, quality),
        sample_rate=checkpoint.audio.sample_rate if checkpoint.audio else None,
        speakers=max(1, len(checkpoint.speakers)),
        licence=stated.licence or origin.licence,
        source=stated.source or origin.source,
        epoch=epoch,
        step=step,
        missing=checkpoint.missing,
        note=stated.note,
        generic=stated.generic,
    )


def _model(checkpoint: Checkpoint, quality: str | None) -> str:
    """The last part of a name: family, quality where there is one, and whether it is an exported voice."""
    ending = ["onnx"] if checkpoint.provenance.format.endswith("onnx") else []
    return "-".join((checkpoint.family.replace("_", "-"), *([quality] if quality else []), *ending))


def _no_language(checkpoint: Checkpoint) -> str:
    return "multilingual" if len(checkpoint.languages) > 1 else "universal"


def language_of(path: Path) -> str | None:
    """Which language a checkpoint says that it speaks; None where it doesn't."""
    return _language(open_checkpoint(only_checkpoint(path) if path.is_dir() else path))


def _stored(entry: Entry, path: Path, library: Library, moving: bool, replacing: bool) -> Entry:
    with library.staging() as staged:
        files = _files(path, entry)
        if path.is_file():
            entry = replace(entry, main=next(iter(files.values())))
        _check_room(files, staged, moving)
        for source, name in files.items():
            if moving:
                os.replace(source, staged / name)
            else:
                shutil.copyfile(source, staged / name)
        _check_copy(staged if entry.main is None else staged / entry.main, entry, path)
        return library.add(entry, staged, replacing=replacing)


def _check_copy(copy: Path, entry: Entry, path: Path) -> None:
    """Open the copy alone, where nothing else of its folder is beside it."""
    try:
        copied = open_checkpoint(copy)
    except CheckpointError as fault:
        raise CheckpointError(
            f"needs other files of its folder: {fault.problem}",
            file=path,
            remedy=f"Add the folder instead: `voxgraft library add {path.parent}`.",
        ) from fault
    if copied.provenance.sha256 != entry.sha256 or copied.missing != entry.missing:
        raise CheckpointError("was changed while it was copied", file=path, remedy="Try again once it is finished.")


def _files(path: Path, entry: Entry) -> dict[Path, str]:
    """The files of a checkpoint and their names in the library; its main one first."""
    if path.is_dir():
        return {file: file.name for file in CheckpointSource(path).files if not file.name.startswith(".")}
    partners = _partners(path)
    if partners:
        # They find each other by their names.
        main = path.name
    elif CheckpointSource(path).torch is not None:
        main = f"epoch={entry.epoch or 0}-step={entry.step or 0}.ckpt"
    else:
        main = f"{word(path.stem)}{path.suffix}"
    files = {path: main} | {partner: partner.name for partner in partners}
    for file, name in _beside(path, main):
        if file.is_file() and file.stat().st_size <= _LARGEST_BESIDE and name not in files.values():
            files[file] = name
    return files


def _partners(path: Path) -> list[Path]:
    """Files that hold another part of the same checkpoint: shards of TensorFlow's, discriminators of the first VITS."""
    if path.suffix == ".index":
        return sorted(path.parent.glob(f"{glob.escape(path.stem)}.data-*"))
    discriminators = path.with_name(f"D_{path.name.removeprefix('G_')}")
    return [discriminators] if path.name.startswith("G_") and discriminators.is_file() else []


def _beside(path: Path, main: str) -> Iterator[tuple[Path, str]]:
    for pattern in _NAMED:
        here = pattern.format(name=path.name, stem=path.stem)
        yield path.with_name(here), pattern.format(name=main, stem=Path(main).stem)
    for name in _BESIDE:
        yield path.with_name(name), name


def _check_room(files: dict[Path, str], staged: Path, moving: bool) -> None:
    needed = 0 if moving else sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(staged).free
    if free < needed:
        raise CheckpointError(
            f"a copy takes {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free",
            file=staged.parent.parent,
            remedy="Free some disk space, or set VOXGRAFT_HOME to a folder on another disk.",
        )


def _counters(checkpoint: Checkpoint, path: Path, remarks: list[str]) -> tuple[int | None, int | None]:
    """Epoch and step from the content, else from a name that says both; never guessed from other digits in a name."""
    named = epoch_and_step(path.name)
    inside = (checkpoint.epoch, checkpoint.step)
    if inside == (None, None):
        if named is None and path.is_file() and CheckpointSource(path).torch is not None:
            remarks.append("neither its name nor its content says epoch and step: it is named epoch=0-step=0")
        return named or inside
    if named is not None and named != inside:
        remarks.append(
            f"its name says epoch {named[0]}, step {named[1]}; its content {inside[0]}, {inside[1]}, and wins"
        )
    return inside


def _published_name(folder: Path) -> str | None:
    """The name that a folder of Coqui's models has: `tts_models--en--ljspeech--vits`; None for other folders."""
    name = name_of_stem(folder.name)
    return name if name is not None and name.split("/")[0] in _TYPES.values() else None


def _language(checkpoint: Checkpoint) -> str | None:
    if len(checkpoint.languages) == 1:
        return checkpoint.languages[0]
    return checkpoint.symbols.voice if checkpoint.symbols is not None and not checkpoint.languages else None


def _dataset(checkpoint: Checkpoint, path: Path) -> str:
    """What it was trained on, or a name for it: of its dataset, its only speaker, its file or its folder."""
    speaker = checkpoint.speakers[0] if len(checkpoint.speakers) == 1 else None
    own = checkpoint.config.get("voxgraft")
    named = own.get("name") if isinstance(own, Mapping) else None
    # A voice of ours says its whole name where others say their dataset.
    known = (
        (named if isinstance(named, str) else None)
        or checkpoint.provenance.dataset
        or (speaker if speaker != "default" else None)
    )
    if known:
        return word(known)
    stem = path.name if path.is_dir() else path.stem
    plain = stem.split("=")[0] in ("epoch", "step") or stem in ("last", "best", "model", "checkpoint")
    return word(path.absolute().parent.name if plain else stem)


def _voice_type(checkpoint: Checkpoint, language: str | None, dataset: str, catalogue: Catalogue) -> str | None:
    """That of the same recordings in the catalogue; `other` for several speakers."""
    if language is not None:
        known = f"tts_models/{language}/{dataset}/"
        types = {base.slot.voice_type for name, base in catalogue.bases.items() if name.startswith(known)} - {None}
        if len(types) == 1:
            return types.pop()
    return "other" if len(checkpoint.speakers) > 1 else None
