"""How far vocoded speech is from the recording that its spectrogram is of, frame by frame: no alignment is needed.

Letters in shapes: T samples, N frames, F bins, M mel bands.
"""

from __future__ import annotations

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import linear_spectrogram, mel_spectrogram

# Points, hop and window of the three transforms of Parallel WaveGAN (Yamamoto et al. 2020).
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
_FLOOR = 1e-7


def mel_distance(spoken: np.ndarray, recorded: np.ndarray, spec: AudioSpec) -> float:
    """Mean absolute difference of two log-mel spectrograms, in the units of the spectrogram (nats for most), of [T] each."""
    ours, theirs = _same_length(spoken, recorded)
    return float(np.mean(np.abs(mel_spectrogram(ours, spec) - mel_spectrogram(theirs, spec))))


def mr_stft_distance(spoken: np.ndarray, recorded: np.ndarray, sample_rate: int) -> float:
    """Spectral convergence and mean log-magnitude difference, added up and averaged over three resolutions, of [T] each.

    Source: Yamamoto et al. 2020, equations 4 to 7.
    """
    ours, theirs = _same_length(spoken, recorded)
    found = []
    for points, hop, window in RESOLUTIONS:
        spec = AudioSpec(sample_rate, points, hop, window, centre=True, magnitude_floor=_FLOOR)
        x, y = linear_spectrogram(ours, spec), linear_spectrogram(theirs, spec)
        convergence = np.linalg.norm(y - x) / max(np.linalg.norm(y), _FLOOR)
        found.append(convergence + np.mean(np.abs(np.log(y) - np.log(x))))
    return float(np.mean(found))


def flatness_error(spoken: np.ndarray, recorded: np.ndarray, voiced: np.ndarray, spec: AudioSpec) -> float | None:
    """How much noisier or more tonal voiced speech is than in the recording: the mean absolute difference of spectral
    flatness in dB, where `voiced` [N] is true.

    A metallic voice has partials where the recording has breath, and the other way round. None where nothing is voiced.
    """
    ours, theirs = _same_length(spoken, recorded)
    levels = [_flatness(audio, spec) for audio in (ours, theirs)]
    count = min(len(levels[0]), len(voiced))
    chosen = np.flatnonzero(voiced[:count])
    return float(np.mean(np.abs(levels[0][chosen] - levels[1][chosen]))) if len(chosen) else None


def _flatness(audio: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """[N] in dB: the geometric over the arithmetic mean of the powers of a frame's bins."""
    power = linear_spectrogram(audio, spec).astype(np.float64) ** (2 / spec.power) + _FLOOR
    return 10 * (np.mean(np.log10(power), axis=0) - np.log10(np.mean(power, axis=0)))


def _same_length(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = min(len(one), len(other))
    return one[:length].astype(np.float32), other[:length].astype(np.float32)
