"""Mel-cepstral distortion: how far the timbre of a clip is from a recording of the same words."""

from __future__ import annotations

import numpy as np

from voxgraft.evaluation.metrics.warping import distances, warp
from voxgraft.evaluation.metrics.world import Analysis

DECIBELS = 10 / np.log(10) * np.sqrt(2)


def mel_cepstral_distortion(clip: Analysis, recording: Analysis) -> float | None:
    """MCD in dB; None where either is silent.

    10 / ln 10 · sqrt(2 · sum over m = 1…24 of (c_m − c'_m)²), averaged over the warping path that makes it least
    (Kubichek 1993). The level c_0 does not count. It is the root mean square difference of the two mel-warped,
    smoothed log spectra, so 0 is the same and two speakers are some 7 to 10 apart.
    """
    if not len(clip) or not len(recording):
        return None
    ours, theirs = clip.cepstra[:, 1:], recording.cepstra[:, 1:]
    rows, columns = warp(distances(ours, theirs))
    return float(DECIBELS * np.linalg.norm(ours[rows] - theirs[columns], axis=1).mean())
