"""MelIndex: the spectrograms that a text-to-spec model made of recordings, a file each, and what they were made with.

They lie in a folder with `index.json`. Letters in shapes: M mel bands, T frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import CorpusError
from voxgraft.files import replacing, write_atomically
from voxgraft.json_file import read_object

INDEX = "index.json"
FORMAT = "voxgraft-spectrograms"
_REMEDY = "Remove the folder, and make the spectrograms again."


@dataclass(frozen=True)
class MelEntry:
    """One utterance's spectrogram: its file in the folder, its frames T, and the SHA-256 of the recording it follows."""

    file: str
    frames: int
    content: str


@dataclass(frozen=True)
class MadeWith:
    """What spectrograms depend on besides the recordings: the model's SHA-256, and what was forced besides the durations."""

    acoustic: str
    audio: AudioSpec
    force_pitch: bool
    force_energy: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"audio": self.audio.to_dict()}


@dataclass(frozen=True)
class MelIndex:
    """`entries` by the utterance's id."""

    folder: Path
    made_with: MadeWith
    entries: Mapping[str, MelEntry] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entries)

    def mel(self, utterance: str) -> np.ndarray:
        """Float32 [M, T], mapped from disk. CorpusError: there is none of that id, or its file is damaged."""
        entry = self.entries.get(utterance)
        if entry is None:
            raise CorpusError("no spectrogram was made of it", file=self.folder, field=utterance, remedy=_REMEDY)
        return read_mel(self.folder / entry.file, self.made_with.audio.n_mels, entry.frames)

    def holds(self, utterance: str, content: str) -> bool:
        """Whether the spectrogram of an utterance is there, whole, and follows this very recording."""
        entry = self.entries.get(utterance)
        if entry is None or entry.content != content:
            return False
        try:
            self.mel(utterance)
        except CorpusError:
            return False
        return True

    def with_mel(self, utterance: str, mel: np.ndarray, content: str) -> MelIndex:
        """The index with one more; its file is written whole or not at all."""
        name = f"mels/{sha256(utterance.encode()).hexdigest()[:24]}.npy"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.save(file, np.ascontiguousarray(mel, np.float32))
        return replace(self, entries={**self.entries, utterance: MelEntry(name, mel.shape[1], content)})

    def write(self) -> Path:
        """Write `index.json`, which makes the spectrograms count."""
        document = {
            "format": FORMAT,
            **self.made_with.to_dict(),
            "mels": {name: asdict(entry) for name, entry in self.entries.items()},
        }
        path = self.folder / INDEX
        write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        return path


def read_mel(path: Path, bands: int, frames: int | None = None) -> np.ndarray:
    """A .npy of float32 [M, T], mapped from disk. CorpusError where it is none, or of another shape."""
    try:
        mel = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        raise CorpusError(f"can't be read: {str(fault)[:120]}", file=path, remedy=_REMEDY) from fault
    fits = mel.dtype == np.float32 and mel.ndim == 2 and mel.shape[0] == bands and frames in (None, mel.shape[1])
    if not fits:
        raise CorpusError(
            "a spectrogram of another shape",
            file=path,
            expected=f"float32 ({bands}, {frames or 'frames'})",
            got=f"{mel.dtype} {mel.shape}",
            remedy=_REMEDY,
        )
    return mel


def read_index(folder: Path) -> MelIndex:
    """The spectrograms of a folder. CorpusError naming the field where `index.json` is missing or damaged."""
    path = folder / INDEX
    document = read_object(path, remedy=_REMEDY)
    if document.get("format") != FORMAT:
        raise CorpusError(
            "no index of spectrograms",
            file=path,
            field="format",
            expected=FORMAT,
            got=document.get("format"),
            remedy=_REMEDY,
        )
    try:
        audio = AudioSpec(**document["audio"])
        made = MadeWith(str(document["acoustic"]), audio, bool(document["force_pitch"]), bool(document["force_energy"]))
        entries = {str(name): _entry(entry) for name, entry in dict(document["mels"]).items()}
    except (KeyError, TypeError, ValueError) as fault:
        raise CorpusError(
            "the index is damaged", file=path, got=f"{type(fault).__name__}: {fault}"[:120], remedy=_REMEDY
        ) from fault
    return MelIndex(folder, made, entries)


def _entry(values: Mapping[str, Any]) -> MelEntry:
    file, frames = values["file"], values["frames"]
    parts = Path(file).parts
    if type(frames) is not int or frames < 1 or Path(file).is_absolute() or ".." in parts:
        raise ValueError(f"an entry {file!r} of {frames!r} frames")
    return MelEntry(file, frames, str(values["content"]))
