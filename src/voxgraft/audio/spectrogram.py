"""Linear and mel spectrograms as VITS and HiFi-GAN take them, in numpy.

Letters: T samples, N frames, F = n_fft / 2 + 1 bins, M mel bands.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import AudioError

_BLOCK_FRAMES = 512


def frame_count(samples: int, spec: AudioSpec) -> int:
    """How many frames `samples` give."""
    return max(0, 1 + (samples + 2 * _margin(spec) - spec.n_fft) // spec.hop)


def linear_spectrogram(x: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Float [T] as float32 [F, N]: (re² + im² + magnitude_floor) ^ (power / 2) of each Hann-windowed frame."""
    frames = _frames(_emphasised(x, spec), spec)
    window = hann_window(spec)
    out = np.empty((spec.bins, len(frames)), np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        spectrum = np.fft.rfft(frames[start : start + _BLOCK_FRAMES] * window, axis=1)
        energy = np.square(spectrum.real) + np.square(spectrum.imag) + spec.magnitude_floor
        out[:, start : start + _BLOCK_FRAMES] = (energy ** (spec.power / 2)).T
    return out


def mel_spectrogram(x: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Float [T] as float32 log mel [M, N]."""
    return compress(mel_filterbank(spec) @ linear_spectrogram(x, spec), spec)


def compress(mel: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Logarithm of mel energies [M, N], floored at `log_floor`, times `log_gain`, and normalised as `spec` says."""
    check_normalisation(spec)
    if spec.log_base == "none":
        levels = mel
    else:
        floored = np.maximum(mel, np.float32(spec.log_floor))
        levels = np.log(floored) if spec.log_base == "e" else np.log10(floored)
    levels = levels * np.float32(spec.log_gain) if spec.log_gain != 1 else levels
    if spec.normalisation == "none":
        return levels
    scale = (spec.range_high - spec.range_low) / (spec.level_high - spec.level_low)
    laid_out = (levels - np.float32(spec.level_low)) * np.float32(scale) + np.float32(spec.range_low)
    return np.clip(laid_out, spec.range_low, spec.range_high) if spec.clipped else laid_out


def check_normalisation(spec: AudioSpec) -> None:
    """Raise AudioError where a spectrogram needs statistics that the spec doesn't hold, has an empty range, or is of a
    recogniser's kind that isn't computed here."""
    if spec.normalisation == "mean-variance":
        raise AudioError(
            "the mean and variance of these spectrograms stand in a file of their own",
            field="normalisation",
            got=spec.normalisation,
            remedy="Take a model whose spectrograms are normalised by a fixed range, or not at all.",
        )
    if spec.normalisation not in ("none", "range") or spec.log_floor_added or spec.window != "periodic":
        raise AudioError(
            "spectrograms of this recogniser aren't computed here",
            field="normalisation",
            got=spec.normalisation,
            remedy="Take a model whose spectrograms are normalised by a fixed range, or not at all.",
        )
    if spec.normalisation == "range" and spec.level_low == spec.level_high:
        raise AudioError(
            "the levels of these spectrograms span nothing",
            field="level_low, level_high",
            got=spec.level_low,
            remedy="Correct the audio settings of the checkpoint.",
        )


@lru_cache(maxsize=16)
def hann_window(spec: AudioSpec) -> np.ndarray:
    """Periodic Hann window of `win` samples in the middle of `n_fft`, float32 [n_fft], read-only."""
    window = np.zeros(spec.n_fft)
    start = (spec.n_fft - spec.win) // 2
    window[start : start + spec.win] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.win) / spec.win)
    return _frozen(window)


@lru_cache(maxsize=16)
def mel_filterbank(spec: AudioSpec) -> np.ndarray:
    """Triangular mel bands, float32 [M, F], read-only (Slaney, Auditory Toolbox 1998; HTK book section 5.6)."""
    top = spec.fmax if spec.fmax is not None else spec.sample_rate / 2
    to_mel, to_hertz = (
        (_hertz_to_htk, _htk_to_hertz) if spec.mel_scale == "htk" else (_hertz_to_slaney, _slaney_to_hertz)
    )
    edges = to_hertz(np.linspace(to_mel(np.float64(spec.fmin)), to_mel(np.float64(top)), spec.n_mels + 2))
    bins = np.linspace(0, spec.sample_rate / 2, spec.bins)
    slopes = edges[:, None] - bins[None, :]
    widths = np.diff(edges)[:, None]
    bank = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    if spec.mel_norm == "slaney":
        bank *= (2 / (edges[2:] - edges[:-2]))[:, None]
    return _frozen(bank)


def _emphasised(x: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """x[t] - preemphasis x[t-1]; the first sample stays."""
    if not spec.preemphasis or not len(x):
        return x
    return np.concatenate([x[:1], x[1:] - np.float32(spec.preemphasis) * x[:-1]])


def _frames(x: np.ndarray, spec: AudioSpec) -> np.ndarray:
    if np.ndim(x) != 1 or not len(x):
        raise AudioError(
            "a spectrogram can't be computed of this audio",
            expected="one channel with sound",
            got=f"an array of shape {np.shape(x)}",
            remedy="Leave the clip out.",
        )
    margin = _margin(spec)
    mode = "reflect" if len(x) > 1 else "edge"
    padded = np.pad(np.asarray(x, np.float32), margin, mode=mode)
    if len(padded) < spec.n_fft:
        padded = np.pad(padded, (0, spec.n_fft - len(padded)))
    return np.lib.stride_tricks.sliding_window_view(padded, spec.n_fft)[:: spec.hop]


def _margin(spec: AudioSpec) -> int:
    return spec.n_fft // 2 if spec.centre else (spec.n_fft - spec.hop) // 2


def _frozen(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32)
    values.flags.writeable = False
    return values


# Slaney's scale: linear to 1 kHz (200/3 Hz a mel), then 27 mels to each factor 6.4.
_LINEAR_STEP = 200 / 3
_KNEE_HERTZ = 1000.0
_KNEE_MEL = _KNEE_HERTZ / _LINEAR_STEP
_LOG_STEP = np.log(6.4) / 27


def _hertz_to_slaney(hertz: np.ndarray) -> np.ndarray:
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HERTZ) / _KNEE_HERTZ) / _LOG_STEP
    return np.where(hertz < _KNEE_HERTZ, hertz / _LINEAR_STEP, above)


def _slaney_to_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_STEP, _KNEE_HERTZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))


def _hertz_to_htk(hertz: np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + hertz / 700)


def _htk_to_hertz(mel: np.ndarray) -> np.ndarray:
    return 700 * (10 ** (mel / 2595) - 1)
