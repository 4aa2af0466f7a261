"""Monotonic alignment search (Kim et al. 2020, "Glow-TTS", algorithm 1), batched.

Letters: B batch, N symbols, T frames, D channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from voxgraft.errors import CorpusError, MissingExtra

UNREACHABLE = np.float32(-1e9)


@torch.no_grad()
def log_likelihoods(z_p: torch.Tensor, mean: torch.Tensor, log_deviation: torch.Tensor) -> torch.Tensor:
    """log N(frame; symbol) for every pair, by matrix products.

    z_p [B, D, T], mean and log_deviation [B, D, N] -> [B, N, T], float32.
    """
    z_p, mean, log_deviation = z_p.float(), mean.float(), log_deviation.float()
    precision = torch.exp(-2 * log_deviation)
    constant = (-0.5 * math.log(2 * math.pi) - log_deviation - 0.5 * mean.square() * precision).sum(1).unsqueeze(-1)
    with torch.autocast(z_p.device.type, enabled=False):
        crossed = torch.cat([precision, mean * precision], 1).transpose(1, 2)
        return constant + crossed @ torch.cat([-0.5 * z_p.square(), z_p], 1)


@torch.no_grad()
def maximum_path(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The monotonic path of the highest total score, without skips: scores, mask [B, N, T] -> path [B, N, T] of 0 and 1.

    `mask` is 1 where both symbol and frame exist. Runs on the CPU wherever the scores are: copying them there costs
    less than a kernel launch for every frame. Raises CorpusError where a clip has fewer frames than symbols.
    """
    symbols = mask[:, :, 0].sum(1).to("cpu", torch.int64).numpy()
    frames = mask[:, 0, :].sum(1).to("cpu", torch.int64).numpy()
    if (frames < symbols).any():
        row = int((frames - symbols).argmin())
        raise CorpusError(
            "a clip is too short for its text",
            expected=f"at least {symbols[row]} frames, one a symbol",
            got=f"{frames[row]} frames",
            remedy="Find it with `voxgraft corpus check PROJECT` and leave it out.",
        )
    totals = scores.detach().to("cpu", torch.float32, copy=True).contiguous().numpy()
    path = np.zeros_like(totals)
    _kernel()(totals, path, symbols, frames)
    return torch.from_numpy(path).to(scores.device)


@cache
def _kernel() -> Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]:
    """Compile the search: about a second, once a process."""
    try:
        import numba
    except ImportError as error:
        raise MissingExtra("numba", "train", "training VITS") from error

    @numba.njit(nogil=True)
    def search(totals: np.ndarray, path: np.ndarray, symbols: np.ndarray, frames: np.ndarray) -> None:
        for b in range(len(symbols)):
            total, n, t = totals[b], symbols[b], frames[b]
            for frame in range(1, t):
                # Symbols that can still be reached from the start, and from which the end can still be reached.
                for symbol in range(min(n, frame + 1) - 1, max(0, n - t + frame) - 1, -1):
                    best = total[symbol, frame - 1] if symbol < frame else UNREACHABLE
                    if symbol > 0:
                        best = max(best, total[symbol - 1, frame - 1])
                    total[symbol, frame] += best
            symbol = n - 1
            for frame in range(t - 1, -1, -1):
                path[b, symbol, frame] = 1
                if symbol > 0 and (symbol == frame or total[symbol, frame - 1] < total[symbol - 1, frame - 1]):
                    symbol -= 1

    return search
