"""Noises: the recordings that overlay lays under speech, decoded as they are needed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from voxgraft.audio.kinds import names_sound
from voxgraft.audio.read import read_audio
from voxgraft.audio.resample import resample
from voxgraft.errors import AudioError, ConfigError

_MOST_KEPT = 64
_MOST_PIECES = 1000


class Noises:
    """By the name of a source, the recordings that are drawn from it."""

    def __init__(self, sources: Mapping[str, Sequence[Path]]) -> None:
        for name, paths in sources.items():
            if not paths:
                raise ConfigError(
                    "holds no recordings",
                    field="augment overlay source",
                    file=name,
                    remedy="Name a recording, a folder of them, or a table that a corpus can be imported from.",
                )
        self.sources = {name: tuple(paths) for name, paths in sources.items()}

    def draw(self, source: str, samples: int, rate: int, random: np.random.Generator) -> np.ndarray:
        """Float32 [samples] at `rate`: as many recordings as are needed, the first from a random place on."""
        paths = self.sources[source]
        pieces: list[np.ndarray] = []
        lacking = samples
        for _ in range(_MOST_PIECES):
            if lacking <= 0:
                break
            sound = _sound(paths[int(random.integers(len(paths)))], rate)
            begin = int(random.integers(len(sound))) if not pieces and len(sound) > 1 else 0
            pieces.append(sound[begin : begin + lacking])
            lacking -= len(pieces[-1])
        joined = np.concatenate([np.zeros(0, np.float32), *pieces])
        return np.resize(joined, samples) if len(joined) < samples else joined


def recordings_in(source: str) -> tuple[Path, ...]:
    """The recording itself, or those of a folder and its sub-folders, in order; ConfigError where there is neither."""
    path = Path(source)
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise ConfigError(
            "no such file or folder", field="augment overlay source", file=source, remedy="Check the path."
        )
    found = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    return tuple(sorted(file for file in found if names_sound(file.name)))


@lru_cache(maxsize=_MOST_KEPT)
def _sound(path: Path, rate: int) -> np.ndarray:
    audio, found = read_audio(path)
    sound = resample(audio, found, rate)
    if not np.any(sound):
        raise AudioError("is silent", file=path, remedy="Take it out of the source of overlay.")
    sound.flags.writeable = False
    return sound
