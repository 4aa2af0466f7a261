"""Energy of speech, frame by frame."""

from __future__ import annotations

import numpy as np


def energy_contour(mel: np.ndarray) -> np.ndarray:
    """The length (L2 norm) of each frame of a mel spectrogram [M, T], as EveryVoice has it: float32 [T]."""
    return np.linalg.norm(mel, axis=0).astype(np.float32)
