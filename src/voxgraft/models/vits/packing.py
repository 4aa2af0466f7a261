"""Convolve a batch without its padding: the sequences end to end, with just enough zeros between them."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

LEAST_SAVING = 0.03


def without_padding(
    network: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], x: torch.Tensor, mask: torch.Tensor, gap: int
) -> torch.Tensor:
    """network(x, mask), computed on the frames that exist; x [B, C, T], mask [B, 1, T] -> [B, C', T].

    For networks that multiply what they convolve by the mask, whose kernels reach at most `gap` frames to each
    side: then the outcome is the same. Where there is little padding, or lengths would cost a wait for the device,
    the batch goes through as it is.
    """
    batch, _, longest = x.shape
    if batch == 1 or x.device.type != "cpu" or torch.jit.is_tracing():
        return network(x, mask)
    lengths = [int(length) for length in mask.sum((1, 2))]
    packed_length = sum(lengths) + gap * (batch - 1)
    if packed_length > (1 - LEAST_SAVING) * batch * longest:
        return network(x, mask)
    return unpack(network(pack(x, lengths, gap), pack(mask, lengths, gap)), lengths, gap, longest)


def pack(x: torch.Tensor, lengths: list[int], gap: int) -> torch.Tensor:
    """Lay sequences end to end, `gap` zeros between them: x [B, C, T] -> [1, C, sum of lengths + (B - 1) * gap]."""
    pieces = []
    for row, length in zip(x, lengths, strict=True):
        pieces += [row[:, :length], row.new_zeros(x.shape[1], gap)]
    return torch.cat(pieces[:-1], dim=1).unsqueeze(0)


def unpack(x: torch.Tensor, lengths: list[int], gap: int, longest: int) -> torch.Tensor:
    """The reverse of `pack`, padded with zeros: x [1, C, ...] -> [B, C, longest]."""
    rows, start = [], 0
    for length in lengths:
        rows.append(F.pad(x[0, :, start : start + length], (0, longest - length)))
        start += length + gap
    return torch.stack(rows)
