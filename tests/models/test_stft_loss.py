"""The multi-resolution STFT loss: known values, and parts of a batch that are the batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voxgraft.models.stft_loss import stft_loss  # noqa: E402

RESOLUTIONS = ((64, 16, 64), (32, 8, 24))


def sounds(count: int = 3) -> torch.Tensor:
    return 0.3 * torch.randn(count, 800, generator=torch.Generator().manual_seed(count))


def by_numpy(audio: np.ndarray, target: np.ndarray, points: int, hop: int, window: int) -> float:
    weights = np.zeros(points)
    start = (points - window) // 2
    weights[start : start + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    found = []
    for x in (audio, target):
        padded = np.pad(x, points // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, points)[::hop]
        found.append(np.maximum(np.abs(np.fft.rfft(frames * weights)), 1e-7**0.5))
    ours, theirs = found
    return np.linalg.norm(theirs - ours) / np.linalg.norm(theirs) + np.abs(np.log(ours) - np.log(theirs)).mean()


def test_it_is_convergence_and_log_magnitudes():
    audio, target = sounds(1), sounds(1).flip(1)
    wanted = np.mean([by_numpy(audio[0].numpy(), target[0].numpy(), *r) for r in RESOLUTIONS])
    assert float(stft_loss(audio, target, RESOLUTIONS)) == pytest.approx(wanted, rel=1e-4)


def test_the_same_sound_is_at_distance_0():
    assert float(stft_loss(sounds(), sounds(), RESOLUTIONS)) == 0


def test_parts_add_up():
    audio, target = sounds(), sounds().flip(1)
    parts = [stft_loss(a[None], t[None], RESOLUTIONS) for a, t in zip(audio, target, strict=True)]
    torch.testing.assert_close(torch.stack(parts).mean(), stft_loss(audio, target, RESOLUTIONS))


def test_silence_has_finite_gradients():
    audio = torch.zeros(1, 4096, requires_grad=True)
    stft_loss(audio, sounds(1).repeat(1, 6)[:, :4096]).backward()
    assert torch.isfinite(audio.grad).all()
