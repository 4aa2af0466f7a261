"""Bring recordings to one loudness (ITU-R BS.1770 through pyloudnorm) without clipping them."""

from __future__ import annotations

import warnings

import numpy as np

from voxgraft.errors import MissingExtra

# -1 dB below full scale: what BS.1770 and podcasts leave for peaks between samples.
PEAK = 10 ** (-1 / 20)
_BLOCK_SECONDS = 0.4


def loudness(x: np.ndarray, rate: int) -> float:
    """Integrated loudness of float [T] in LUFS; -inf for silence. A clip under one gate block is repeated to fill it."""
    try:
        import pyloudnorm
    except ImportError:
        raise MissingExtra("pyloudnorm", "corpus", "matching loudness") from None
    if not len(x):
        return float("-inf")
    shortest = int(np.ceil(_BLOCK_SECONDS * rate)) + 1
    whole = np.resize(x, shortest) if len(x) < shortest else x
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")
        return float(pyloudnorm.Meter(rate).integrated_loudness(whole.astype(np.float64)))


def match_loudness(x: np.ndarray, rate: int, lufs: float) -> np.ndarray:
    """Float [T] scaled to `lufs`, or as near as a peak of -1 dB allows; silence stays as it is."""
    x = np.asarray(x, np.float32)
    measured = loudness(x, rate)
    if not np.isfinite(measured):
        return x
    gain = 10 ** ((lufs - measured) / 20)
    peak = float(np.abs(x).max())
    return x * np.float32(min(gain, PEAK / peak))
