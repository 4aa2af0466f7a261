"""What changes a recording as a whole: noise under it, a room, a telephone line, a codec, its volume.

Each takes float32 [T] in -1 to 1, its rate in Hz, its numbers and texts, a generator, and the noises.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np

from voxgraft.audio.augment.noise import Noises
from voxgraft.audio.resample import resample as change_rate

Numbers = Mapping[str, float]
Texts = Mapping[str, str]
SoundEffect = Callable[[np.ndarray, int, Numbers, Texts, np.random.Generator, Noises | None], np.ndarray]

# Coqui STT's dBFS: a sine of full scale has 0 dB by its energy, so its peak counts 3.0103.
FULL_SCALE_DBFS = 3.0103
# Combs whose delays have no common multiple do not ring together.
_COMBS = (17, 19, 23, 29, 31)
_FEWEST_SAMPLES = 16
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# libsndfile's compression level 0 to 1 is Opus' bit rate from here to there.
_OPUS_MOST, _OPUS_LEAST = 256_000, 6_000


def overlay(
    x: np.ndarray, rate: int, numbers: Numbers, texts: Texts, random: np.random.Generator, noises: Noises | None
) -> np.ndarray:
    """`layers` of recordings from `source` under the speech, `snr` dB quieter by energy; the peak stays.

    (Coqui STT compares peaks.)
    """
    if noises is None:
        raise ValueError("overlay needs noises")
    layers = [noises.draw(texts["source"], len(x), rate, random) for _ in range(int(numbers["layers"]))]
    under = np.sum(layers, axis=0, dtype=np.float32) if layers else np.zeros_like(x)
    speech, noise = _energy(x), _energy(under)
    if not speech or not noise:
        return x
    mixed = x + under * np.float32(np.sqrt(speech / noise) * 10 ** (-numbers["snr"] / 20))
    return _with_peak(mixed, float(np.abs(x).max()))


def codec(
    x: np.ndarray, rate: int, numbers: Numbers, _: Texts, __: np.random.Generator, ___: Noises | None
) -> np.ndarray:
    """Through Opus at `bitrate` and back."""
    import soundfile

    rate_of_codec = next((known for known in _OPUS_RATES if known >= rate), _OPUS_RATES[-1])
    packed = io.BytesIO()
    level = (_OPUS_MOST - numbers["bitrate"]) / (_OPUS_MOST - _OPUS_LEAST)
    soundfile.write(
        packed,
        change_rate(x, rate, rate_of_codec),
        rate_of_codec,
        format="OGG",
        subtype="OPUS",
        compression_level=level,
    )
    packed.seek(0)
    decoded, found = soundfile.read(packed, dtype="float32")
    return _as_long(np.clip(change_rate(decoded, found, rate), -1, 1), len(x))


def reverb(
    x: np.ndarray, rate: int, numbers: Numbers, _: Texts, __: np.random.Generator, ___: Noises | None
) -> np.ndarray:
    """A plain room (Schroeder, combs alone): echoes from `delay` ms on, each `decay` dB quieter; the peak stays."""
    gain = 10 ** (-numbers["decay"] / 20)
    wet = x.astype(np.float64)
    for comb in _COMBS:
        wet += _comb(x, max(_FEWEST_SAMPLES, int(numbers["delay"] * comb / _COMBS[0] * rate / 1000)), gain)
    return _with_peak(wet, float(np.abs(x).max()))


def resample(
    x: np.ndarray, rate: int, numbers: Numbers, _: Texts, __: np.random.Generator, ___: Noises | None
) -> np.ndarray:
    """To another `rate` and back: what lies over half of it is lost."""
    return _as_long(change_rate(change_rate(x, rate, int(numbers["rate"])), int(numbers["rate"]), rate), len(x))


def volume(
    x: np.ndarray, _: int, numbers: Numbers, __: Texts, ___: np.random.Generator, ____: Noises | None
) -> np.ndarray:
    """A peak of `dbfs`: 3.0103 is full scale."""
    return _with_peak(x, 10 ** ((numbers["dbfs"] - FULL_SCALE_DBFS) / 20))


SOUND_EFFECTS: dict[str, SoundEffect] = {
    "overlay": overlay,
    "codec": codec,
    "reverb": reverb,
    "resample": resample,
    "volume": volume,
}


def _comb(x: np.ndarray, delay: int, gain: float) -> np.ndarray:
    """y[n] = x[n] + gain * y[n - delay], a row of `delay` samples at a time."""
    rows = np.pad(x.astype(np.float64), (0, -len(x) % delay)).reshape(-1, delay)
    for row in range(1, len(rows)):
        rows[row] += gain * rows[row - 1]
    return rows.reshape(-1)[: len(x)]


def _with_peak(x: np.ndarray, peak: float) -> np.ndarray:
    highest = float(np.abs(x).max())
    return np.asarray(x * (peak / highest), np.float32) if highest else np.asarray(x, np.float32)


def _energy(x: np.ndarray) -> float:
    return float(np.square(x, dtype=np.float64).sum())


def _as_long(x: np.ndarray, samples: int) -> np.ndarray:
    return x[:samples] if len(x) >= samples else np.pad(x, (0, samples - len(x)))
