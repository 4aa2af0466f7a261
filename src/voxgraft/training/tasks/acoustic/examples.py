"""Examples of an acoustic model: utterances as the network takes them, read from the cache when they are needed.

Letters in shapes: N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxgraft.corpus.manifest import Utterance


class Frames(Protocol):
    """What is prepared of an utterance, frame by frame, still on disk (corpus/prepare/frames.py)."""

    utterance: Utterance
    frames: int
    content: str

    @property
    def mel(self) -> np.ndarray:
        """Float32 [M, T]."""

    @property
    def pitch(self) -> np.ndarray:
        """In Hz [T], 0 where there is no voice."""

    @property
    def energy(self) -> np.ndarray:
        """[T]."""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of pitch (Hz, voiced frames) or energy of one speaker."""

    mean: float
    deviation: float

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Deviations from the mean in standard deviations, float32."""
        return ((values - self.mean) / (self.deviation or 1.0)).astype(np.float32)


@dataclass(frozen=True)
class Features:
    """mel [M, T]; pitch and energy [T] as deviations from the speaker's means, pitch 0 where there is no voice."""

    mel: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray


@dataclass(frozen=True)
class Example:
    """One utterance: `ids` [N] of all its sentences, rows of speaker and language, what its speaker's pitch and energy are
    measured against, and durations [N] in frames where a file gives them."""

    ids: np.ndarray
    prepared: Frames
    speaker: int
    language: int
    pitch: Moments
    energy: Moments
    durations: np.ndarray | None = None

    @property
    def frames(self) -> int:
        """Frames T of its mel."""
        return self.prepared.frames

    def features(self) -> Features:
        """Read from disk."""
        pitch = self.prepared.pitch
        voiced = pitch > 0
        return Features(
            np.asarray(self.prepared.mel, np.float32),
            np.where(voiced, self.pitch.scaled(pitch), np.float32(0)),
            self.energy.scaled(self.prepared.energy),
        )
