"""The losses of DelightfulTTS as tts-framework has them, its faults mended.

Its SSIM is replaced by a constant where it leaves 0 to 1, and then teaches nothing; here it always has a gradient, and
compares real frames alone, both on the scale of the recording. Its energy is averaged over padding too; here over symbols.

Letters in shapes: B batch, N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F

from voxgraft.models.alignment_losses import binarisation, forward_sum
from voxgraft.models.delightful.delightful import DelightfulPass

# What each term is multiplied by where nothing else is set.
WEIGHTS: Mapping[str, float] = {
    "mel": 1.0,
    "ssim": 1.0,
    "duration": 1.0,
    "pitch": 1.0,
    "energy": 1.0,
    "utterance_prosody": 0.5,
    "phoneme_prosody": 0.5,
    "attn_ctc": 1.0,
    "attn_bin": 1.0,
}
_WINDOW, _DEVIATION = 11, 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2


def delightful_losses(
    output: DelightfulPass,
    mel: torch.Tensor,
    symbols: Sequence[int],
    frames: Sequence[int],
    *,
    total_symbols: float | None = None,
    total_frames: float | None = None,
) -> dict[str, torch.Tensor]:
    """Every term of a training pass, unweighted scalars under the names in WEIGHTS; `energy` where the model has it.

    mel [B, M, T] is the recordings'; `symbols` and `frames` are the lengths of the B clips. `total_symbols` and
    `total_frames` are what sums over symbols and frames are divided by, those of these clips unless they are given.
    """
    of_symbols, of_frames = total_symbols or sum(symbols), total_frames or sum(frames)
    text_mask, mask = output.text_mask.squeeze(1), output.mask
    wanted = mel.float() * mask
    log_durations = torch.log1p(output.durations.float()) * text_mask
    terms = {
        "mel": (output.mel.float() - wanted).abs().sum() / (of_frames * mel.shape[1]),
        "ssim": 1 - similarity(output.mel.float(), wanted, mask).mean(),
        "duration": _square(output.log_durations, log_durations) / of_symbols,
        "pitch": _square(output.pitch, output.pitch_target) / of_symbols,
    }
    if output.energy is not None and output.energy_target is not None:
        terms["energy"] = _square(output.energy, output.energy_target) / of_symbols
    each = (output.phoneme.float() - output.phoneme_target.float()).abs().sum()
    return terms | {
        "utterance_prosody": F.l1_loss(output.utterance.float(), output.utterance_target.float()),
        "phoneme_prosody": each / (of_symbols * output.phoneme.shape[2]),
        "attn_ctc": forward_sum(output.log_scores, symbols, frames),
        "attn_bin": binarisation(output.soft, output.path, of_frames),
    }


def similarity(ours: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Structural similarity (Wang et al. 2004) of two spectrograms [B, M, T], mask [B, 1, T]: [B], -1 to 1, 1 of equal ones.

    Both are put on the scale from the lowest to the highest of `theirs`. A clip without a whole window counts as 1.
    """
    bands = ours.shape[1]
    size = min(_WINDOW, bands - (bands + 1) % 2)
    if ours.shape[2] < size:
        return ours.new_ones(len(ours))
    outside = mask == 0
    low = theirs.masked_fill(outside, torch.inf).amin((1, 2), keepdim=True)
    high = theirs.masked_fill(outside, -torch.inf).amax((1, 2), keepdim=True)
    x, y = (((z - low) / (high - low).clamp(min=1e-6) * mask).unsqueeze(1) for z in (ours, theirs))
    window = _gaussian(size, x.device)
    # Variances are small differences of large numbers: nothing for half precision.
    with torch.autocast(x.device.type, enabled=False):
        mean_x, mean_y, square_x, square_y, product = (
            F.conv2d(z, window).squeeze(1) for z in (x, y, x * x, y * y, x * y)
        )
    variances = square_x - mean_x.square() + square_y - mean_y.square()
    covariance = product - mean_x * mean_y
    structure = (2 * covariance + _CONTRAST) / (variances + _CONTRAST)
    luminance = (2 * mean_x * mean_y + _LUMINANCE) / (mean_x.square() + mean_y.square() + _LUMINANCE)
    # Windows that lie in the clip as a whole.
    inside = mask[:, :, size - 1 :]
    count = inside.sum((1, 2)) * mean_x.shape[1]
    total = (luminance * structure * inside).sum((1, 2))
    return torch.where(count > 0, total / count.clamp(min=1), torch.ones_like(total))


def _gaussian(size: int, device: torch.device) -> torch.Tensor:
    """A window [1, 1, size, size] of sum 1."""
    line = torch.exp(-((torch.arange(size, device=device) - (size - 1) / 2) ** 2) / (2 * _DEVIATION**2))
    window = line[:, None] * line[None, :]
    return (window / window.sum())[None, None]


def _square(ours: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (ours.float() - wanted.float()).square().sum()
