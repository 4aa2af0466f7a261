"""Tones for corpora."""

from __future__ import annotations

import numpy as np

RATE = 16000


def tone(seconds: float, rate: int = RATE, level: float = 0.3, pitch: float = 220.0) -> np.ndarray:
    """A tone with 0.1 s of near silence at both ends, float32 [T]."""
    x = level * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)
    edge = 1e-5 * np.sin(np.arange(int(0.1 * rate)))
    return np.concatenate([edge, x, edge]).astype(np.float32)
