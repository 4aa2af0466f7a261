"""Make a corpus of long recordings: cut them into utterances and let a recogniser write down what is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from voxgraft.audio.kinds import READ, SOUND
from voxgraft.audio.read import read_audio
from voxgraft.audio.write import write_wav
from voxgraft.corpus.segment import find_utterances
from voxgraft.corpus.split import is_speakable
from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically
from voxgraft.progress import track

LONGEST_RECORDING_SECONDS = 2 * 3600.0
Transcribe = Callable[[np.ndarray, int], str]


def make_corpus(
    path: Path, folder: Path, transcribe: Transcribe, *, shortest: float = 1.0, longest: float = 12.0
) -> Path:
    """Write `wavs/` and `metadata.csv` from a recording or a folder of them; the metadata's path.

    `transcribe` takes float32 [T] and its rate. Utterances in which it hears nothing are left out. CorpusError where
    nothing is heard at all, or where `folder` isn't empty. The metadata is written last.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CorpusError(
            "is there already and not empty",
            file=folder,
            expected="an empty or new folder",
            remedy="Choose another folder.",
        )
    lines = []
    for recording in track(_recordings(path), "Cutting and transcribing"):
        x, rate = read_audio(recording, longest=LONGEST_RECORDING_SECONDS)
        stem = re.sub(r"[^\w.-]+", "_", recording.stem).strip(".") or "recording"
        spans = find_utterances(x, rate, shortest=shortest, longest=longest)
        for number, (start, end) in enumerate(track(spans, recording.name), 1):
            clip = x[round(start * rate) : round(end * rate)]
            text = " ".join(transcribe(clip, rate).replace("|", " ").split())
            if is_speakable(text):
                name = f"{stem}-{number:04d}"
                write_wav(folder / "wavs" / f"{name}.wav", clip, rate)
                lines.append(f"{name}|{text}\n")
    if not lines:
        raise CorpusError(
            "no speech was heard", file=path, remedy="Check the recordings, or name a recogniser of their language."
        )
    write_atomically(folder / "metadata.csv", "".join(lines))
    return folder / "metadata.csv"


def _recordings(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(_sounds(path.iterdir())) if path.is_dir() else []
    if not found:
        raise CorpusError(
            "no recordings", file=path, expected=", ".join(READ), remedy="Name a recording or a folder of them."
        )
    stems = [p.stem for p in found]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise CorpusError(f"several recordings are called {twice[0]}", file=path, remedy="Rename all but one.")
    return found


def _sounds(paths: Iterable[Path]) -> Iterable[Path]:
    return (p for p in paths if p.suffix.lower() in SOUND and not p.name.startswith("."))
