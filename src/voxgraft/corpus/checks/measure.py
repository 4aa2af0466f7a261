"""What can be measured of one recording: length, levels, noise, clipping, silence, and a hash of its sound."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from voxgraft.audio.read import read_recording
from voxgraft.audio.trim import FRAME_SECONDS, SILENCE, frame_levels, gate_level, speech_bounds
from voxgraft.audio.write import to_int16

# A flat top of this many samples is clipping; loud but whole peaks touch full scale for one or two.
_FLAT_SAMPLES = 3
_CLIPPING_PEAK = 0.97


@dataclass(frozen=True)
class Measures:
    """Times in seconds, levels in dB of full scale. `speech` is the time between the silence at both ends.

    `clipped` counts samples in flat tops. `snr` is the distance of the loud parts to the quietest 30 ms, so that a clip
    cut close isn't taken for a noisy one; `pause` the longest silence inside. `sound` is a hash of the
    decoded samples, the same for any lossless format. `cancelling`: its channels are each other's opposite.
    """

    duration: float
    speech: float
    leading: float
    trailing: float
    pause: float
    peak: float
    level: float
    snr: float
    offset: float
    clipped: int
    sound: str
    cancelling: bool = False


def measure(path: str) -> Measures:
    """Measure a recording; AudioError where it can't be read."""
    recording = read_recording(path)
    x, rate = recording.audio, recording.rate
    levels = frame_levels(x, rate)
    first, last = speech_bounds(x, rate)
    loud = float(np.percentile(levels, 95)) if len(levels) else SILENCE
    return Measures(
        duration=len(x) / rate,
        speech=(last - first) / rate,
        leading=first / rate,
        trailing=(len(x) - last) / rate,
        pause=_longest_pause(levels),
        peak=float(np.abs(x).max()),
        level=loud,
        snr=loud - _quietest(levels, loud),
        offset=float(np.mean(x, dtype=np.float64)),
        clipped=_flat_samples(x),
        sound=hashlib.sha256(to_int16(x).tobytes()).hexdigest(),
        cancelling=recording.cancelling,
    )


def _flat_samples(x: np.ndarray) -> int:
    """Samples in runs of equal value at the top of the range."""
    peak = float(np.abs(x).max())
    if peak < _CLIPPING_PEAK:
        return 0
    top = np.abs(x) >= 0.999 * peak
    edges = np.flatnonzero(np.diff(np.concatenate(([0], top.view(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= _FLAT_SAMPLES].sum())


def _quietest(levels: np.ndarray, loud: float) -> float:
    """Level of the quietest three frames in a row, in dB."""
    if len(levels) < 3:
        return loud
    power = np.convolve(10 ** (levels / 10), np.full(3, 1 / 3), mode="valid")
    return float(10 * np.log10(power.min()))


def _longest_pause(levels: np.ndarray) -> float:
    """Seconds of the longest stretch under the gate between the first and the last sounding frame."""
    if not len(levels):
        return 0.0
    sounding = np.flatnonzero(levels > gate_level(levels))
    return float(np.diff(sounding).max(initial=1) - 1) * FRAME_SECONDS
