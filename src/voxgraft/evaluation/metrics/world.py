"""World: pitch and mel cepstra of speech (WORLD, Morise et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from voxgraft.audio.pitch import require_world, world_pitch
from voxgraft.audio.resample import resample

RATE = 16_000
FRAME_MS = 10.0
MEL_POINTS = 128
COEFFICIENTS = 24
QUIETER_DB = 40.0
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
TOP_HZ = 7000.0
FLOOR = 1e-7


@dataclass(frozen=True)
class Analysis:
    """Every 10 ms: `f0` [frames] in Hz, 0 where unvoiced; `cepstra` [frames, 25], the first is the level."""

    f0: np.ndarray
    cepstra: np.ndarray

    def __len__(self) -> int:
        return len(self.f0)


class World:
    """The vocoder's analysis: DIO and StoneMask for pitch, CheapTrick for the spectral envelope."""

    def __init__(self) -> None:
        """Raises MissingExtra without pyworld."""
        self._world: Any = require_world("measuring cepstral distortion and pitch", "eval")

    def analyse(self, audio: np.ndarray, sample_rate: int) -> Analysis:
        """Analyse one clip [T] at 16 kHz, so that clips of any rate compare over the same band.

        Frames at both ends that are 40 dB under the loudest are left out, and nothing counts as more than 70 dB under
        the peak, so that the noise of a pause and digital silence are alike. Empty for silence.
        """
        audio = resample(audio, sample_rate, RATE).astype(np.float64)
        if len(audio) < RATE * FRAME_MS / 1000 or not np.any(audio):
            return Analysis(np.zeros(0), np.zeros((0, COEFFICIENTS + 1)))
        f0, times = world_pitch(audio, RATE, FRAME_MS, lowest=LOWEST_HZ, highest=HIGHEST_HZ)
        power = self._world.cheaptrick(audio, f0, times, RATE)
        power = np.maximum(power, power.max() * FLOOR)
        level = 10 * np.log10(power.mean(axis=1))
        loud = np.flatnonzero(level > level.max() - QUIETER_DB)
        kept = slice(loud[0], loud[-1] + 1)
        return Analysis(f0[kept], mel_cepstra(power[kept], RATE))


def mel_cepstra(power: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mel cepstra [frames, 25] of power spectra [frames, bins].

    c_0 … c_24 with ln|H(w)| = sum_m c_m cos(m w), where w goes from 0 to pi as the mel scale goes from 0 to 7 kHz:
    above that, what is left is mostly the filter of whatever resampled the clip.
    """
    top = 2595 * np.log10(1 + TOP_HZ / 700)
    angles = np.pi * (np.arange(MEL_POINTS) + 0.5) / MEL_POINTS
    hertz = 700 * (10 ** (angles / np.pi * top / 2595) - 1)
    places = hertz / (sample_rate / 2) * (power.shape[1] - 1)
    below = np.minimum(places.astype(int), power.shape[1] - 2)
    share = places - below
    logs = 0.5 * np.log(power)
    warped = logs[:, below] * (1 - share) + logs[:, below + 1] * share
    cosines = np.cos(np.outer(angles, np.arange(COEFFICIENTS + 1)))
    cepstra = warped @ cosines * (2 / MEL_POINTS)
    cepstra[:, 0] /= 2
    return np.asarray(cepstra)
