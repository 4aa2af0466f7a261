"""Alignments of whole clips by the voice as it is, kept between steps (training/tasks/kept_durations.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from voxgraft.models.vits import Vits
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.training.tasks.kept_durations import KeptDurations
from voxgraft.training.tasks.vits.examples import Example


class Alignments(KeptDurations):
    """Durations [N] in frames of each example, and the step at which they were found."""

    def __init__(self, examples: Sequence[Example], longest_interval: int) -> None:
        super().__init__(len(examples), longest_interval)
        self._examples = examples

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
