"""Write a corpus in LJSpeech's layout, which Piper and most trainers read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from voxgraft.audio.read import read_audio
from voxgraft.audio.write import write_wav
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically
from voxgraft.progress import track


def export_ljspeech(manifest: Manifest, folder: Path) -> Path:
    """`wavs/ID.wav` (16 bit, mono) and `metadata.csv` (`id|text`, or `id|speaker|text`); CorpusError if it isn't empty.

    The metadata is written last, so that a half-written export can't be taken for a whole one.
    """
    require_empty(folder)
    names = file_names(manifest)
    write_recordings(manifest, names, folder)
    many = len(manifest.speakers) > 1
    lines = []
    for utterance, name in zip(manifest, names, strict=True):
        cells = [name, *([_cell(utterance.speaker or "unknown")] if many else []), _cell(utterance.text)]
        lines.append("|".join(cells) + "\n")
    write_atomically(folder / "metadata.csv", "".join(lines))
    return folder / "metadata.csv"


def require_empty(folder: Path) -> None:
    """Raise CorpusError where a folder to write to holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CorpusError(
            "is there already and not empty",
            file=folder,
            expected="an empty or new folder",
            remedy="Choose another folder.",
        )


def write_recordings(manifest: Manifest, names: Sequence[str], folder: Path) -> None:
    """`wavs/NAME.wav` of each recording, 16 bit, mono, at its own rate."""
    for utterance, name in zip(track(manifest, "Writing recordings", len(manifest)), names, strict=True):
        audio, rate = read_audio(utterance.audio)
        write_wav(folder / "wavs" / f"{name}.wav", audio, rate)


def file_names(manifest: Manifest) -> list[str]:
    """A file name for each utterance, distinct even where letters that file systems refuse were replaced."""
    taken: set[str] = set()
    names = []
    for utterance in manifest:
        name = plain = _plain(utterance)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _plain(utterance: Utterance) -> str:
    return re.sub(r"[^\w.-]+", "_", utterance.id).strip(".")[:120] or "clip"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", " ").split())
