"""Out of memory is survived by smaller pieces of the same batch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.loop.learner import Batch

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc", "alloc_failed")


def in_pieces_that_fit(batch: Batch, pieces: int, begin: Callable[[], None], work: Callable[[Any], None]) -> int:
    """Call `work(piece)` for `pieces` pieces; on running out of memory start again with twice as many.

    `begin` is called before each attempt, to drop what a failed one left. Returns the pieces that fitted.
    """
    while True:
        begin()
        try:
            for piece in split(batch, pieces):
                work(piece)
            return pieces
        except (RuntimeError, MemoryError) as fault:
            if not is_out_of_memory(fault):
                raise
            if pieces >= len(batch):
                raise TrainingError(
                    "a single clip needs more memory than there is",
                    field="corpus.longest",
                    remedy="Leave out the longest clips with corpus.longest; of a voice, set a smaller voice.segment or "
                    "voice.window too.",
                ) from fault
        pieces = min(2 * pieces, len(batch))
        begin()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        notice(f"out of memory: going on with {pieces} smaller pieces of each batch (training.accumulate={pieces})")


def split(batch: Batch, pieces: int) -> list[Any]:
    """Pieces as equal as can be."""
    pieces = min(pieces, len(batch))
    bounds = [len(batch) * i // pieces for i in range(pieces + 1)]
    return [batch.part(a, b) if pieces > 1 else batch for a, b in pairwise(bounds)]


def is_out_of_memory(fault: BaseException) -> bool:
    """Whether an exception says that memory ran out, whatever the device and its wording."""
    return isinstance(fault, MemoryError | torch.OutOfMemoryError) or any(s in str(fault).lower() for s in _SIGNS)
