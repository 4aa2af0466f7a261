"""Alignments of whole clips, kept between steps: which symbol takes how many frames.

They change quickly at first and hardly later, so a clip is aligned again after growing intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from voxgraft.models.vits import Vits
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.training.tasks.vits.examples import Example

FIRST_INTERVAL = 20


class Alignments:
    """Durations [N] in frames of each clip, and the step at which they were found."""

    def __init__(self, examples: Sequence[Example], longest_interval: int) -> None:
        self._examples = examples
        self._longest_interval = longest_interval
        self._durations: list[np.ndarray | None] = [None] * len(examples)
        self._found_at = np.full(len(examples), -1, dtype=np.int64)

    def stale(self, clips: Sequence[int], step: int) -> list[int]:
        """Those of `clips` that are to be aligned again."""
        return [clip for clip in dict.fromkeys(clips) if self._durations[clip] is None or self._is_old(clip, step)]

    def _is_old(self, clip: int, step: int) -> bool:
        found = int(self._found_at[clip])
        return step - found >= min(FIRST_INTERVAL + found // 2, self._longest_interval)

    @torch.no_grad()
    def align(self, model: Vits, clips: Sequence[int], device: torch.device) -> dict[int, np.ndarray]:
        """Align whole clips by the model as it is; the posterior's mean stands for the clip."""
        examples = [self._examples[clip] for clip in clips]
        lengths = torch.tensor([e.frames for e in examples], device=device)
        id_lengths = torch.tensor([len(e.ids) for e in examples], device=device)
        ids = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(e.ids) for e in examples], batch_first=True).to(device)
        frames = [torch.from_numpy(e.prepared.spectrogram.T) for e in examples]
        spectrogram = torch.nn.utils.rnn.pad_sequence(frames, batch_first=True).transpose(1, 2).to(device)
        g = model.embed_speaker(torch.tensor([e.speaker for e in examples], device=device))
        text = model.encode_text(ids, id_lengths)
        mask = sequence_mask(lengths, spectrogram.shape[-1])
        mean, _ = model.enc_q(spectrogram, mask, g)
        durations = model.align(text, model.flow(mean, mask, g), mask).sum(2).cpu().numpy().astype(np.int32)
        return {clip: row[: len(self._examples[clip].ids)] for clip, row in zip(clips, durations, strict=True)}

    def update(self, found: dict[int, np.ndarray], step: int) -> None:
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
        self._durations = [None] * len(self._examples)
        self._found_at[:] = -1

    def state_dict(self) -> dict[str, Any]:
        """Tensors for a checkpoint: all durations in one, with their counts; 0 where there are none yet."""
        rows = [d if d is not None else np.zeros(0, np.int32) for d in self._durations]
        return {
            "durations": torch.from_numpy(np.concatenate(rows) if rows else np.zeros(0, np.int32)),
            "counts": torch.tensor([len(row) for row in rows]),
            "found_at": torch.from_numpy(self._found_at.copy()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        pieces = np.split(state["durations"].numpy(), np.cumsum(state["counts"].numpy())[:-1])
        self._durations = [piece if len(piece) else None for piece in pieces]
        self._found_at = state["found_at"].numpy().copy()
