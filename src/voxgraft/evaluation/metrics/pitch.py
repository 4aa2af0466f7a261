"""Pitch error: how far the melody of a clip is from a recording of the same words."""

from __future__ import annotations

import numpy as np

from voxgraft.evaluation.metrics.warping import distances, warp
from voxgraft.evaluation.metrics.world import Analysis


def f0_rmse(clip: Analysis, recording: Analysis) -> float | None:
    """Root mean square pitch difference in cents (1200 an octave); None where nothing is voiced in both.

    Over the frames that the warping path of the mel cepstra pairs, where both are voiced. The mean pitch counts:
    another speaker's register is an error too.
    """
    if not len(clip) or not len(recording):
        return None
    rows, columns = warp(distances(clip.cepstra[:, 1:], recording.cepstra[:, 1:]))
    ours, theirs = clip.f0[rows], recording.f0[columns]
    voiced = (ours > 0) & (theirs > 0)
    if not voiced.any():
        return None
    cents = 1200 * np.log2(ours[voiced] / theirs[voiced])
    return float(np.sqrt(np.mean(np.square(cents))))
