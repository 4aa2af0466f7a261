"""The aligner of RAD-TTS (Shih et al. 2021; Badlani et al. 2021): which symbol each frame of a recording belongs to.

Letters in shapes: B batch, N symbols, T frames, M mel bands, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.alignment import maximum_path
from voxgraft.models.fastspeech2.postnet import NamedConv

_TEMPERATURE = 0.0005
_LEAST_PRIOR = 1e-8


class Aligner(nn.Module):
    """Attention by distance between projections of symbols and of frames."""

    def __init__(self, mels: int, text_channels: int, channels: int) -> None:
        super().__init__()
        self.query_proj = nn.Sequential(
            NamedConv(mels, 2 * mels, 3, "relu"),
            nn.ReLU(),
            NamedConv(2 * mels, mels, 1),
            nn.ReLU(),
            NamedConv(mels, channels, 1),
        )
        self.key_proj = nn.Sequential(
            NamedConv(text_channels, 2 * text_channels, 3, "relu"), nn.ReLU(), NamedConv(2 * text_channels, channels, 1)
        )

    def forward(
        self, mel: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor, prior: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """mel [B, M, T], embedded text [B, C, N], text_mask [B, 1, N], prior [B, T, N] -> soft, log_scores [B, T, N].

        A frame's `soft` weights sum to 1 over the symbols; `log_scores` are those that the CTC loss takes.
        """
        # Differences of large numbers, scaled down: bf16 would not tell the symbols apart.
        with torch.autocast(mel.device.type, enabled=False):
            return self._attend(mel.float(), text.float(), text_mask, prior)

    def _attend(
        self, mel: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor, prior: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        queries, keys = self.query_proj(mel).transpose(1, 2), self.key_proj(text)
        squares = queries.square().sum(2, keepdim=True) + keys.square().sum(1, keepdim=True)
        log_scores = -_TEMPERATURE * (squares - 2 * queries @ keys)
        if prior is not None:
            log_scores = F.log_softmax(log_scores, -1) + torch.log(prior + _LEAST_PRIOR)
        return log_scores.masked_fill(text_mask == 0, -torch.inf).softmax(-1), log_scores


def hard_alignment(soft: torch.Tensor, text_mask: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The likeliest monotonic path: soft [B, T, N], masks [B, 1, N] and [B, 1, T] -> path [B, N, T] of 0 and 1."""
    return maximum_path(torch.log(soft.detach()).transpose(1, 2), text_mask.transpose(1, 2) * mask)
