"""The losses of FastSpeech 2 as EveryVoice weighs and averages them: over all positions of the batch, padding included as 0.

Letters in shapes: B batch, N symbols, T frames, M mel bands, L either of N and T.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from voxgraft.models.alignment_losses import binarisation, forward_sum
from voxgraft.models.fastspeech2.fastspeech2 import FastSpeech2Output

# What each term is multiplied by where nothing else is set.
WEIGHTS = {
    "mel": 1.0,
    "postnet": 1.0,
    "pitch": 0.1,
    "energy": 0.1,
    "duration": 0.1,
    "attn_ctc": 0.1,
    "attn_bin": 0.1,
}


def losses(
    output: FastSpeech2Output,
    mel: torch.Tensor,
    text_mask: torch.Tensor,
    symbols: Sequence[int],
    frames: Sequence[int],
    *,
    postnet: bool = True,
    total_frames: float | None = None,
) -> dict[str, torch.Tensor]:
    """Every term of a training pass, unweighted scalars: `mel`, `postnet`, `pitch`, `energy`, `duration`, and of a model with
    an aligner `attn_ctc` and `attn_bin`.

    mel [B, M, T] is the recordings', text_mask [B, N]; `symbols` and `frames` are the lengths of the B clips. `postnet`
    says whether the model has one. `total_frames` is what the binarisation is divided by, that of these clips unless it is given.
    """
    mask = output.mask.unsqueeze(1)
    wanted = mel[..., : mask.shape[-1]] * mask
    terms = {"mel": _square(output.mel * mask, wanted)}
    if postnet:
        terms["postnet"] = _square(output.refined * mask, wanted)
    for name in ("pitch", "energy"):
        predicted, target = getattr(output, name), getattr(output, f"{name}_target")
        inside = text_mask if predicted.shape[1] == text_mask.shape[1] else output.mask
        terms[name] = _square(predicted * inside, target[:, : predicted.shape[1]] * inside)
    log_durations = torch.log1p(output.durations.to(mel.dtype)) * text_mask
    terms["duration"] = _square(output.log_durations * text_mask, log_durations)
    if output.soft is not None:
        assert output.log_scores is not None
        assert output.path is not None
        terms["attn_ctc"] = forward_sum(output.log_scores, symbols, frames)
        terms["attn_bin"] = binarisation(output.soft, output.path, total_frames or sum(frames))
    return terms


def _square(ours: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (ours.float() - wanted.float()).square().mean()
