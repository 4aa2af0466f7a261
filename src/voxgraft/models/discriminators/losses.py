"""Losses of adversarial training: least squares, feature matching, and the KL divergence of VITS.

What a discriminator returns is a list of (score [B, n], features), one for each of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from voxgraft.models.spectral import full

Judgement = tuple[torch.Tensor, list[torch.Tensor]]


def discriminator_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> torch.Tensor:
    """Scores of recordings towards 1, of generated audio towards 0 (Mao et al. 2017, LSGAN), summed over the parts."""
    return sum(
        (1 - full(score_real)).square().mean() + full(score_fake).square().mean()
        for (score_real, _), (score_fake, _) in zip(real, fake, strict=True)
    )


def adversarial_loss(fake: Sequence[Judgement]) -> torch.Tensor:
    """Scores of generated audio towards 1, summed over the parts."""
    return sum((1 - full(score)).square().mean() for score, _ in fake)


def feature_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> torch.Tensor:
    """L1 between the features of both, summed over layers and parts (Kong et al. 2020, equation 6); none flows to `real`."""
    return sum(
        _l1(ours, theirs.detach())
        for (_, features_real), (_, features_fake) in zip(real, fake, strict=True)
        for theirs, ours in zip(features_real, features_fake, strict=True)
    )


def _l1(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference. Torch's L1 is three kernels forward and four back, its smooth L1 one each."""
    if x.dtype in (torch.bfloat16, torch.float16):
        return full((x - target).abs()).mean()
    return F.smooth_l1_loss(x, target, beta=1e-12)


def kl_loss(
    z_p: torch.Tensor, logs_q: torch.Tensor, m_p: torch.Tensor, logs_p: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """KL divergence of the posterior from the prior (VITS, equation 4), in nats a frame: all [B, D, T], mask [B, 1, T]."""
    z_p, logs_q, m_p, logs_p = full(z_p), full(logs_q), full(m_p), full(logs_p)
    divergence = logs_p - logs_q - 0.5 + 0.5 * (z_p - m_p).square() * torch.exp(-2 * logs_p)
    return (divergence * mask).sum() / mask.sum()
