"""The aligner of DelightfulTTS (Badlani et al. 2021, "One TTS alignment to rule them all"): which symbol a frame belongs to.

Letters in shapes: B batch, N symbols, T frames, M mel bands, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.conformer import SLOPE
from voxgraft.models.delightful.named import kept

_TEMPERATURE = 0.0005
_LEAST_PRIOR = 1e-8
_KEY_KERNEL, _KEY_LAYERS = 3, 2
_QUERY_KERNEL, _QUERY_LAYERS = 7, 3


class Aligner(nn.Module):
    """Attention by distance between projections of symbols and of frames."""

    def __init__(self, mels: int, channels: int) -> None:
        super().__init__()
        self.key_proj = _projection(channels, channels, _KEY_KERNEL, _KEY_LAYERS)
        self.query_proj = _projection(mels, channels, _QUERY_KERNEL, _QUERY_LAYERS)

    def forward(
        self,
        mel: torch.Tensor,
        text: torch.Tensor,
        text_mask: torch.Tensor,
        mask: torch.Tensor,
        prior: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """mel [B, M, T], text [B, N, C], masks [B, 1, N] and [B, 1, T], prior [B, T, N] -> soft, log_scores [B, T, N].

        A frame's `soft` weights sum to 1 over the symbols that there are; `log_scores` are those that the CTC loss takes.
        tts-framework's own lets frames attend to the padding of the text too.
        """
        # Distances are small differences of large numbers: nothing for half precision.
        with torch.autocast(mel.device.type, enabled=False):
            queries = _projected(self.query_proj, mel.float(), mask).transpose(-2, -1)
            keys = _projected(self.key_proj, text.float().transpose(-2, -1), text_mask)
            squares = queries.square().sum(2, keepdim=True) + keys.square().sum(1, keepdim=True)
            distances = squares - 2 * queries @ keys
        log_scores = (-_TEMPERATURE * distances).masked_fill(text_mask == 0, -torch.inf)
        if prior is not None:
            log_scores = F.log_softmax(log_scores, -1) + torch.log(prior + _LEAST_PRIOR)
        return log_scores.softmax(-1), log_scores


def _projection(inputs: int, channels: int, kernel: int, layers: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in range(layers):
        convolution = nn.Conv1d(channels if layer else inputs, channels, kernel, padding=kernel // 2)
        modules += [convolution, nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*modules)


def _projected(layers: nn.Sequential, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        x = layer(kept(x, mask))
    return kept(x, mask)
