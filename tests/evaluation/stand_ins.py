"""Instruments that need no packages."""

from __future__ import annotations

import numpy as np

TEXTS = {"a": "one two three four", "b": "five six seven eight", "c": "nine ten eleven twelve"}


class Echo:
    """Hears what the first samples of a clip spell: tests write text into audio as code points / 1000."""

    def transcribe(self, audio: np.ndarray, sample_rate: int) -> str:
        return "".join(chr(round(float(sample) * 1000)) for sample in audio)


class Brightness:
    """Embeds a clip by its sign alone: clips of one sign are one speaker."""

    def embed(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        mean = float(np.mean(audio)) if len(audio) else 0.0
        return np.array([mean > 0, mean < 0], np.float32)


class Steady:
    """Gives every clip the same sound quality and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, audio: np.ndarray, sample_rate: int) -> float:
        self.asked += 1
        return 3.0


def spoken(text: str) -> np.ndarray:
    """Audio that Echo hears as `text`."""
    return np.array([ord(character) / 1000 for character in text], np.float32)
