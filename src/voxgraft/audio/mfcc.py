"""Mel-frequency cepstral coefficients as TensorFlow computes them, in numpy, whole or as sound comes in.

Source: https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/kernels: spectrogram.cc, mfcc.cc,
mfcc_mel_filterbank.cc, mfcc_dct.cc. Letters: T samples, N frames, F bins, M mel bands, C coefficients.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

from voxgraft.errors import AudioError

_BLOCK_FRAMES = 512


@dataclass(frozen=True)
class MfccSpec:
    """How audio becomes MFCCs; the defaults are those of Coqui STT and DeepSpeech.

    Lengths are in samples, frequencies in Hz. `fmax=None` is half the sample rate. `log_floor` clamps the magnitude
    of a mel band before the logarithm. Frames are not padded: a rest shorter than a window gives none.
    """

    sample_rate: int = 16000
    win: int = 512
    hop: int = 320
    n_mels: int = 40
    fmin: float = 20.0
    fmax: float | None = None
    coefficients: int = 26
    log_floor: float = 1e-12

    def __post_init__(self) -> None:
        if not 1 <= self.hop <= self.win or not 1 <= self.coefficients <= self.n_mels:
            raise ValueError(f"windows of {self.win} every {self.hop} samples give no {self.coefficients} coefficients")

    @property
    def n_fft(self) -> int:
        """Length of the Fourier transform: the next power of two, filled up with zeros."""
        return 1 << (self.win - 1).bit_length()

    @property
    def bins(self) -> int:
        """Frequency bins of the spectrogram."""
        return self.n_fft // 2 + 1

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON and cache keys."""
        return asdict(self)


def mfcc_frame_count(samples: int, spec: MfccSpec) -> int:
    """How many frames `samples` give."""
    return 1 + (samples - spec.win) // spec.hop if samples >= spec.win else 0


def mfcc(x: np.ndarray, spec: MfccSpec) -> np.ndarray:
    """Float [T] in -1 to 1 as float32 [N, C]. Raises AudioError where it is not one channel."""
    if np.ndim(x) != 1:
        raise AudioError(
            "MFCCs can't be computed of this audio",
            expected="one channel",
            got=f"an array of shape {np.shape(x)}",
            remedy="Mix the channels to one.",
        )
    out = np.empty((mfcc_frame_count(len(x), spec), spec.coefficients), np.float32)
    if not len(out):
        return out
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(x, np.float32), spec.win)[:: spec.hop]
    window, bank, transform = _window(spec), _mel_bank(spec), _cosines(spec)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        spectrum = np.fft.rfft(frames[start : start + _BLOCK_FRAMES] * window, spec.n_fft, axis=1)
        # TensorFlow hands the squared magnitude on in single precision, and the filters take its root again.
        power = (np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)
        mel = np.sqrt(power, dtype=np.float64) @ bank
        out[start : start + _BLOCK_FRAMES] = np.log(np.maximum(mel, spec.log_floor)) @ transform
    return out


class MfccStream:
    """MFCCs of sound that comes in pieces: the frames of all pieces are those of the whole."""

    def __init__(self, spec: MfccSpec) -> None:
        self.spec = spec
        self._rest = np.zeros(0, np.float32)

    def push(self, x: np.ndarray) -> np.ndarray:
        """The next piece, float [T] of any length: the frames [N, C] that are complete now."""
        sound = np.concatenate([self._rest, np.asarray(x, np.float32)])
        frames = mfcc(sound, self.spec)
        self._rest = sound[len(frames) * self.spec.hop :].copy()
        return frames


@lru_cache(maxsize=16)
def _window(spec: MfccSpec) -> np.ndarray:
    """Periodic Hann window, float64 [win]."""
    return _frozen(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.win) / spec.win))


@lru_cache(maxsize=16)
def _mel_bank(spec: MfccSpec) -> np.ndarray:
    """Triangles on the mel axis, float64 [F, M]; bins outside fmin to fmax count nothing."""
    top = spec.fmax if spec.fmax is not None else spec.sample_rate / 2
    hertz_per_bin = spec.sample_rate / 2 / (spec.bins - 1)
    first, last = int(1.5 + spec.fmin / hertz_per_bin), int(top / hertz_per_bin)
    mels = _mel(np.arange(spec.bins) * hertz_per_bin)
    edges = np.linspace(_mel(np.float64(spec.fmin)), _mel(np.float64(top)), spec.n_mels + 2)
    widths = np.diff(edges)
    rising = (mels[:, None] - edges[None, :-2]) / widths[:-1]
    falling = (edges[None, 2:] - mels[:, None]) / widths[1:]
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:first] = 0
    bank[last + 1 :] = 0
    return _frozen(bank)


@lru_cache(maxsize=16)
def _cosines(spec: MfccSpec) -> np.ndarray:
    """The orthonormal cosine transform (type II) but for its first row, float64 [M, C]."""
    bands, coefficients = np.arange(spec.n_mels)[:, None], np.arange(spec.coefficients)[None, :]
    return _frozen(np.sqrt(2 / spec.n_mels) * np.cos(np.pi / spec.n_mels * (bands + 0.5) * coefficients))


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127 * np.log1p(hertz / 700)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
