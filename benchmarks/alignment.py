"""Monotonic alignment search: ours (numba) against the monotonic-alignment-search wheel and plain torch.

    python -m benchmarks.alignment

Milliseconds a batch, best of several; `first` includes compilation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import torch
from tests.models.path_oracle import maximum_path_torch

from voxgraft.models.alignment import maximum_path

SHAPES = ((16, 150, 600), (32, 200, 800), (32, 400, 1000))


def timed(search: Callable[[], torch.Tensor], repeats: int = 8) -> tuple[float, float, torch.Tensor]:
    """First and best time in ms, and the path."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        path = search()
        times.append(1000 * (time.perf_counter() - began))
    return times[0], min(times), path


def main() -> None:
    """Print the table."""
    import monotonic_alignment_search

    torch.manual_seed(0)
    print(f"{date.today()}, {torch.get_num_threads()} threads")
    print(f"{'B, N, T':<16}{'search':<8}{'first ms':>10}{'best ms':>9}  same path")
    for shape in SHAPES:
        scores, mask = torch.randn(shape), torch.ones(shape)
        searches = {
            "ours": lambda s=scores, m=mask: maximum_path(s, m),
            "wheel": lambda s=scores, m=mask: monotonic_alignment_search.maximum_path(s, m),
            "torch": lambda s=scores, m=mask: maximum_path_torch(s, m),
        }
        reference = None
        for name, search in searches.items():
            first, best, path = timed(search)
            reference = path if reference is None else reference
            print(f"{shape!s:<16}{name:<8}{first:>10.1f}{best:>9.1f}  {bool((path == reference).all())}")


if __name__ == "__main__":
    main()
