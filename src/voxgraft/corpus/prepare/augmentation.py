"""Augmenter: the augmentations of a training, read and with their noises found before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxgraft.audio.augment import (
    Augmentation,
    Noises,
    Seed,
    augment_audio,
    augment_features,
    parse_augmentations,
    recordings_in,
)
from voxgraft.corpus.importers import import_corpus

TABLES = (".csv", ".tsv", ".jsonl")


class Augmenter:
    """Augmentations for recordings of one sample rate, in Hz.

    ConfigError: one can't be read, or a source of overlay holds no recordings. CorpusError: a source is a table that
    can't be imported.
    """

    def __init__(self, written: Sequence[str], rate: int) -> None:
        self.augmentations: tuple[Augmentation, ...] = parse_augmentations(written)
        self.rate = rate
        sources = {a.texts["source"] for a in self.augmentations if a.name == "overlay"}
        self.noises = Noises({source: _recordings_of(source) for source in sorted(sources)})

    def __bool__(self) -> bool:
        return bool(self.augmentations)

    @property
    def changes_sound(self) -> bool:
        """Whether any works on the sound, so that features have to be made anew."""
        return any(a.domain != "features" for a in self.augmentations)

    def sound(self, x: np.ndarray, seed: Seed, progress: float) -> np.ndarray:
        """Float32 [T] in -1 to 1 -> float32 [T']; `progress` is the share of the training that is done."""
        return augment_audio(x, self.rate, self.augmentations, progress, seed, self.noises)

    def features(self, features: np.ndarray, frame_seconds: float, seed: Seed, progress: float) -> np.ndarray:
        """Features [N, C], a frame every `frame_seconds` -> float32 [N, C]; give it another seed than `sound`."""
        return augment_features(features, frame_seconds, self.augmentations, progress, seed)


def _recordings_of(source: str) -> tuple[Path, ...]:
    """A recording, those of a folder, or those that a corpus names."""
    path = Path(source)
    if path.is_file() and path.suffix.lower() in TABLES:
        return tuple(Path(utterance.audio) for utterance in import_corpus(path))
    return recordings_in(source)
