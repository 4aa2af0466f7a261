"""What recognisers hear: MFCCs, log mels as NVIDIA and OpenAI make them, or the samples themselves; numpy only.

Letters: T samples, N frames, D values a frame.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from voxgraft.audio.mfcc import MfccSpec, mfcc, mfcc_frame_count
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import frame_count, mel_filterbank, mel_spectrogram
from voxgraft.errors import AudioError

FeatureSpec = MfccSpec | AudioSpec
_BLOCK_FRAMES = 512
# Under the root of a variance, and beside a deviation, so that silence can be divided by them.
_LITTLE_VARIANCE, _LITTLE_DEVIATION = 1e-7, 1e-5


def hears_samples(spec: FeatureSpec) -> bool:
    """Whether a model takes the samples themselves."""
    return isinstance(spec, AudioSpec) and spec.n_mels == 0


def feature_count(samples: int, spec: FeatureSpec) -> int:
    """How many frames `samples` give; the samples themselves where the model takes those."""
    if isinstance(spec, MfccSpec):
        return mfcc_frame_count(samples, spec)
    if spec.n_mels == 0:
        return samples
    if spec.normalisation in ("bands", "whisper"):
        return samples // spec.hop
    return max(1, frame_count(samples, spec))  # what is shorter than a frame is filled up with silence


def recogniser_features(x: np.ndarray, spec: FeatureSpec) -> np.ndarray:
    """Float [T] in -1 to 1 as float32 [N, D], or as [T] for a model that takes samples. Raises AudioError."""
    x = np.asarray(x, np.float32)
    if x.ndim != 1:
        raise AudioError(
            "a recogniser hears one channel", expected="[T]", got=f"{x.shape}", remedy="Mix the channels to one."
        )
    if isinstance(spec, MfccSpec):
        return mfcc(x, spec)
    if spec.n_mels == 0:
        return _levelled(x) if spec.normalisation == "utterance" else x
    if spec.normalisation == "bands":
        return _even_bands(_log_mel(x, spec))
    if spec.normalisation == "whisper":
        levels = _log_mel(x, spec)
        floor = levels.max(initial=-np.inf) - 8
        return ((np.maximum(levels, floor) + 4) / 4).astype(np.float32)
    return np.ascontiguousarray(mel_spectrogram(x, spec).T)


def _levelled(x: np.ndarray) -> np.ndarray:
    """Samples with mean 0 and deviation 1."""
    return np.asarray((x - x.mean()) / np.sqrt(x.var() + _LITTLE_VARIANCE), np.float32) if len(x) else x


def _even_bands(levels: np.ndarray) -> np.ndarray:
    """Each band of [N, D] with mean 0 and deviation 1 over the recording."""
    if len(levels) < 2:
        return np.zeros_like(levels)
    return np.asarray((levels - levels.mean(axis=0)) / (levels.std(axis=0, ddof=1) + _LITTLE_DEVIATION), np.float32)


def _log_mel(x: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Log mels [N, D], a frame around every `hop` samples. OpenAI mirrors the sound at its ends, NVIDIA adds silence."""
    count = len(x) // spec.hop
    out = np.empty((count, spec.n_mels), np.float32)
    if not count:
        return out
    if spec.preemphasis:
        x = np.concatenate([x[:1], x[1:] - np.float32(spec.preemphasis) * x[:-1]])
    margin = spec.n_fft // 2
    mirrored = spec.normalisation == "whisper" and len(x) > 1
    padded = np.pad(x, margin, mode="reflect") if mirrored else np.pad(x, margin)
    frames = np.lib.stride_tricks.sliding_window_view(padded, spec.n_fft)[:: spec.hop][:count]
    bank = mel_filterbank(replace(spec, normalisation="none", log_floor_added=False, window="periodic")).T
    window = _window(spec)
    for start in range(0, count, _BLOCK_FRAMES):
        spectrum = np.fft.rfft(frames[start : start + _BLOCK_FRAMES] * window, axis=1)
        energy = (np.square(spectrum.real) + np.square(spectrum.imag) + spec.magnitude_floor) ** (spec.power / 2)
        mel = energy.astype(np.float32) @ bank
        floor = np.float32(spec.log_floor)
        mel = mel + floor if spec.log_floor_added else np.maximum(mel, floor)
        out[start : start + _BLOCK_FRAMES] = np.log10(mel) if spec.log_base == "10" else np.log(mel)
    return out


def _window(spec: AudioSpec) -> np.ndarray:
    """Hann window of `win` samples in the middle of `n_fft`; a symmetric one ends where it began."""
    window = np.zeros(spec.n_fft, np.float32)
    start = (spec.n_fft - spec.win) // 2
    period = spec.win if spec.window == "periodic" else spec.win - 1
    window[start : start + spec.win] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.win) / period)
    return window
