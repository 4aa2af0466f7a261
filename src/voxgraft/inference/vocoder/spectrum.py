"""Sound of magnitudes and phases, for graphs that leave the inverse Fourier transform to who runs them."""

from __future__ import annotations

import numpy as np


def sound_of(magnitude: np.ndarray, cosine: np.ndarray, sine: np.ndarray, overlap: int = 4) -> np.ndarray:
    """magnitude and the cosine and sine of the phase, each [F, T] -> float32 [T * hop].

    Frames of 2 (F - 1) points under a Hann window, a hop of one `overlap`th of them, divided by the sum of the squared
    windows; half of what hangs over is cut off at either end.
    """
    points = 2 * (len(magnitude) - 1)
    hop, frames = points // overlap, magnitude.shape[1]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(points) / points)
    pieces = np.fft.irfft(magnitude * (cosine + 1j * sine), points, axis=0) * window[:, None]
    sound, weight = np.zeros((frames - 1) * hop + points), np.zeros((frames - 1) * hop + points)
    for frame in range(frames):
        place = slice(frame * hop, frame * hop + points)
        sound[place] += pieces[:, frame]
        weight[place] += window**2
    trim = (points - hop) // 2
    kept = slice(trim, trim + frames * hop)
    audio: np.ndarray = (sound[kept] / weight[kept]).astype(np.float32)
    return audio
