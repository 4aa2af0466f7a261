"""Masks, alignments and segments: which frames count, which belong to which symbol."""

from __future__ import annotations

import torch


def sequence_mask(lengths: torch.Tensor, longest: int | torch.Tensor) -> torch.Tensor:
    """1 within each sequence, 0 in its padding: lengths [B] -> [B, 1, longest], float32."""
    positions = torch.arange(longest, device=lengths.device)
    return (positions[None, :] < lengths[:, None]).unsqueeze(1).float()


def path_from_durations(durations: torch.Tensor, text_mask: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Lay symbols out one after another: durations [B, 1, N] in frames, masks [B, 1, N] and [B, 1, T] -> path [B, N, T]."""
    ends = torch.cumsum(durations, -1).transpose(1, 2)
    frames = torch.arange(mask.shape[-1], device=durations.device, dtype=durations.dtype)[None, None, :]
    starts = ends - durations.transpose(1, 2)
    inside = (frames >= starts) & (frames < ends)
    return inside.to(durations.dtype) * text_mask.transpose(1, 2) * mask


def random_starts(lengths: torch.Tensor, segment: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Where a segment of `segment` frames begins in each sequence, drawn uniformly: lengths [B] -> [B], int64."""
    room = (lengths - segment + 1).clamp(min=1)
    drawn = torch.rand(lengths.shape, generator=generator, device=generator.device if generator else lengths.device)
    return (drawn.to(lengths.device) * room).long()


def segments(x: torch.Tensor, starts: torch.Tensor, size: int) -> torch.Tensor:
    """Cut one segment out of each sequence: x [B, C, T], starts [B] -> [B, C, size]; zeros where x is too short."""
    if x.shape[-1] < size:
        x = torch.nn.functional.pad(x, (0, size - x.shape[-1]))
    frames = starts[:, None, None] + torch.arange(size, device=x.device)
    return x.gather(2, frames.expand(-1, x.shape[1], -1))
