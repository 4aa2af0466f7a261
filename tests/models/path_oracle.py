"""The monotonic path in plain torch, frame by frame for the whole batch at once: what the compiled search is held against."""

import torch

from voxgraft.models.alignment import UNREACHABLE


@torch.no_grad()
def maximum_path_torch(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """As `maximum_path`: scores, mask [B, N, T] -> path [B, N, T] of 0 and 1."""
    batch, symbols, frames = scores.shape
    device = scores.device
    text_lengths = mask[:, :, 0].sum(1).long()
    frame_lengths = mask[:, 0, :].sum(1).long()
    scores = scores.float() * mask
    best = torch.full((batch, symbols), float(UNREACHABLE), device=device)
    best[:, 0] = scores[:, 0, 0]
    stays = torch.ones(batch, frames, symbols, dtype=torch.bool, device=device)
    for frame in range(1, frames):
        advanced = torch.nn.functional.pad(best[:, :-1], (1, 0), value=float(UNREACHABLE))
        stays[:, frame] = best >= advanced
        best = torch.maximum(best, advanced) + scores[:, :, frame]
    path = torch.zeros(batch, symbols, frames, device=device)
    index = text_lengths - 1
    rows = torch.arange(batch, device=device)
    for frame in range(frames - 1, -1, -1):
        inside = frame < frame_lengths
        path[rows, index, frame] = inside.float()
        # A path must reach symbol i by frame i, whatever the scores say.
        advance = (~stays[rows, frame, index] | (index == frame)) & inside & (index > 0)
        index = index - advance.long()
    return path
