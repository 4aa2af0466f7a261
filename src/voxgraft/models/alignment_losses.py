"""What an aligner of symbols and frames learns from (Badlani et al. 2021, "One TTS alignment to rule them all").

Letters in shapes: B batch, N symbols, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

# The log score of the blank that a frame may be given to instead of a symbol, before the softmax.
BLANK = -1.0
_NOTHING = -1e15
_LEAST = 1e-12


def forward_sum(log_scores: torch.Tensor, symbols: Sequence[int], frames: Sequence[int]) -> torch.Tensor:
    """Minus the log of the summed probability of all monotonic alignments, per symbol, as a mean over the clips: a scalar.

    log_scores [B, T, N] as the aligner gives them; `symbols` and `frames` hold the lengths of the B clips, numbers that no
    device has to be asked for. A clip with fewer frames than symbols counts as 0.
    """
    batch, _, most = log_scores.shape
    device = log_scores.device
    lengths = torch.tensor(list(symbols)).to(device, non_blocking=True)
    positions = torch.arange(1, most + 1, device=device)
    scores = log_scores.float().masked_fill(positions > lengths[:, None, None], _NOTHING)
    log_probs = F.log_softmax(F.pad(scores, (1, 0), value=BLANK), dim=-1).transpose(0, 1)
    return F.ctc_loss(
        log_probs, positions.expand(batch, -1), list(frames), list(symbols), reduction="mean", zero_infinity=True
    )


def binarisation(soft: torch.Tensor, path: torch.Tensor, frames: float | torch.Tensor) -> torch.Tensor:
    """How far the soft alignment is from the hard one: minus the log of the weight on the path, over `frames`: a scalar.

    soft [B, T, N], path [B, N, T] of 0 and 1 that has no gradient. `frames` are those of all clips together.
    """
    on_the_path = (soft.float() * path.transpose(1, 2)).sum(2)
    inside = path.sum(1)
    return -(on_the_path.clamp(min=_LEAST).log() * inside).sum() / frames
