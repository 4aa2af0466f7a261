"""Power mel spectrograms as librosa makes them by default, which Resemblyzer and DNSMOS were trained on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def power_mel(audio: np.ndarray, sample_rate: int, *, n_fft: int, hop: int, n_mels: int) -> np.ndarray:
    """Float32 [n_mels, frames] of audio [T]: Hann window, centred frames, zeros beyond the ends, Slaney's scale."""
    padded = np.pad(audio.astype(np.float32), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return (_slaney_bank(sample_rate, n_fft, n_mels) @ power.T).astype(np.float32)


@lru_cache(maxsize=4)
def _slaney_bank(sample_rate: int, n_fft: int, n_mels: int) -> np.ndarray:
    """[n_mels, n_fft // 2 + 1]: triangles of equal area, linear to 1 kHz, logarithmic above."""
    step, knee, log_step = 200 / 3, 1000.0, np.log(6.4) / 27
    top = sample_rate / 2
    highest = knee / step + np.log(top / knee) / log_step
    mels = np.linspace(0, highest, n_mels + 2)
    edges = np.where(mels < knee / step, mels * step, knee * np.exp(log_step * (mels - knee / step)))
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
