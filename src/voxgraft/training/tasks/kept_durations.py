"""KeptDurations: which symbol of a clip takes how many frames, kept between steps.

Alignments change quickly at first and hardly later, so a clip is aligned again after growing intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

FIRST_INTERVAL = 20


class KeptDurations:
    """Durations [N] in frames of each of `clips` clips, and the step at which they were found."""

    def __init__(self, clips: int, longest_interval: int) -> None:
        self._longest_interval = longest_interval
        self._durations: list[np.ndarray | None] = [None] * clips
        self._found_at = np.full(clips, -1, dtype=np.int64)

    def stale(self, clips: Sequence[int], step: int) -> list[int]:
        """Those of `clips` that are to be aligned again."""
        return [clip for clip in dict.fromkeys(clips) if self._durations[clip] is None or self._is_old(clip, step)]

    def _is_old(self, clip: int, step: int) -> bool:
        found = int(self._found_at[clip])
        return step - found >= min(FIRST_INTERVAL + found // 2, self._longest_interval)

    def update(self, found: Mapping[int, np.ndarray], step: int) -> None:
        """Keep what was found at a step."""
        for clip, durations in found.items():
            self._durations[clip] = durations
            self._found_at[clip] = step

    def durations(self, clips: Sequence[int], device: torch.device) -> torch.Tensor:
        """[B, N] float32, zero-padded."""
        rows = [torch.from_numpy(self._known(clip)).float() for clip in clips]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device, non_blocking=True)

    def _known(self, clip: int) -> np.ndarray:
        durations = self._durations[clip]
        assert durations is not None, "aligned before it is drawn"
        return durations

    def forget(self) -> None:
        """Begin without any."""
        self._durations = [None] * len(self._durations)
        self._found_at[:] = -1

    def state_dict(self) -> dict[str, Any]:
        """Tensors for a checkpoint: all durations in one, with their counts; 0 where there are none yet."""
        rows = [d if d is not None else np.zeros(0, np.int32) for d in self._durations]
        return {
            "durations": torch.from_numpy(np.concatenate(rows) if rows else np.zeros(0, np.int32)),
            "counts": torch.tensor([len(row) for row in rows]),
            "found_at": torch.from_numpy(self._found_at.copy()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        pieces = np.split(state["durations"].numpy(), np.cumsum(state["counts"].numpy())[:-1])
        self._durations = [piece if len(piece) else None for piece in pieces]
        self._found_at = state["found_at"].numpy().copy()
