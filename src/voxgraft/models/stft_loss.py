"""The multi-resolution STFT loss (Yamamoto et al. 2020, Parallel WaveGAN, section 2.2): how far two waveforms' spectra are apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from voxgraft.models.spectral import full

# Points of the transform, hop and window, in samples.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
_FLOOR = 1e-7


def stft_loss(
    audio: torch.Tensor, target: torch.Tensor, resolutions: Sequence[tuple[int, int, int]] = RESOLUTIONS
) -> torch.Tensor:
    """audio and target [B, T] -> spectral convergence plus L1 of log magnitudes, the mean over resolutions and clips.

    Both are computed clip by clip, half precision in float32, so that the parts of a batch, averaged, are the batch.
    """
    with torch.autocast(audio.device.type, enabled=False):
        found = [_at(full(audio), full(target), *resolution) for resolution in resolutions]
        return torch.stack(found).mean()


def _at(audio: torch.Tensor, target: torch.Tensor, points: int, hop: int, window: int) -> torch.Tensor:
    weights = torch.hann_window(window, device=audio.device, dtype=audio.dtype)
    ours, theirs = (_magnitudes(x, points, hop, weights) for x in (audio, target))
    convergence = (theirs - ours).norm(dim=(1, 2)) / theirs.norm(dim=(1, 2))
    return convergence.mean() + (ours.log() - theirs.log()).abs().mean()


def _magnitudes(audio: torch.Tensor, points: int, hop: int, window: torch.Tensor) -> torch.Tensor:
    """[B, T] -> [B, bins, frames]; clamped, for the gradient of a root is infinite at 0."""
    spectrum = torch.stft(audio, points, hop, len(window), window, return_complex=True)
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=_FLOOR).sqrt()
