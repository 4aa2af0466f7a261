"""The losses of Glow-TTS (section 3.1), as Coqui TTS weighs them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from voxgraft.models.glow_tts.glow_tts import GlowPass

# What each term is multiplied by where nothing else is set.
WEIGHTS: Mapping[str, float] = {"likelihood": 1.0, "duration": 1.0}


def glow_losses(
    output: GlowPass,
    frames: torch.Tensor,
    lengths: torch.Tensor,
    *,
    total_frames: float | None = None,
    total_symbols: float | None = None,
) -> dict[str, torch.Tensor]:
    """`likelihood`: nats a number of the mel; `duration`: mean square of the logarithms of durations. Scalars.

    frames and lengths [B] are those of the batch. Coqui TTS divides by the frames given, the odd one that a flow over
    pairs of frames leaves out among them; `total_frames` and `total_symbols` take the places
    of their sums.
    """
    difference = (output.latent - output.mean).float()
    log_deviation = output.log_deviation.float()
    exponent = log_deviation.sum() + 0.5 * (torch.exp(-2 * log_deviation) * difference.square()).sum()
    numbers = (frames.sum() if total_frames is None else total_frames) * output.latent.shape[1]
    # The constant is that of every number, so that parts of a step add up to it.
    constant = 0.5 * math.log(2 * math.pi) * (1.0 if total_frames is None else frames.sum() / total_frames)
    likelihood = constant + (exponent - output.log_determinant.float().sum()) / numbers
    wanted = torch.log(1 + output.durations.float()) * output.text_mask.squeeze(1)
    duration = (output.log_durations.float() - wanted).square().sum()
    duration = duration / (lengths.sum() if total_symbols is None else total_symbols)
    return {"likelihood": likelihood, "duration": duration}
