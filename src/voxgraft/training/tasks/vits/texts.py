"""Text encodings kept between steps: while the text encoder is frozen they never change."""

from __future__ import annotations

import torch

from voxgraft.models.vits import TextEncoding, Vits
from voxgraft.models.vits.masks import sequence_mask
from voxgraft.models.vits.vits import is_frozen
from voxgraft.training.tasks.vits.batches import Batch

MOST_BYTES = 512 * 2**20


class KeptTexts:
    """Encodings of clips that were met before, up to MOST_BYTES of them; the others are computed each time."""

    def __init__(self) -> None:
        self._kept: dict[int, torch.Tensor] = {}
        self._bytes = 0

    def encode(self, model: Vits, batch: Batch) -> TextEncoding:
        """The encoding of a batch's texts, as `model.encode_text` gives it."""
        if not is_frozen(model.enc_p):
            return model.encode_text(batch.ids, batch.id_lengths)
        clips, lengths = batch.clips, batch.symbols
        # Each alone: in a batch its last bits would depend on the others' lengths, and differ after a resume.
        fresh = {
            clip: _encode_alone(
                model, batch.ids[place : place + 1, : lengths[place]], batch.id_lengths[place : place + 1]
            )
            for place, clip in enumerate(clips)
            if clip not in self._kept
        }
        longest = batch.ids.shape[1]
        rows = [fresh[clip] if clip in fresh else self._kept[clip] for clip in clips]
        padded = torch.stack([torch.nn.functional.pad(row, (0, longest - row.shape[-1])) for row in rows])
        self._keep(fresh)
        hidden, m_p, logs_p = padded.unbind(1)
        return TextEncoding(hidden, m_p, logs_p, sequence_mask(batch.id_lengths, longest))

    def _keep(self, fresh: dict[int, torch.Tensor]) -> None:
        for clip, row in fresh.items():
            size = row.numel() * row.element_size()
            if self._bytes + size <= MOST_BYTES:
                self._kept[clip] = row
                self._bytes += size


def _encode_alone(model: Vits, ids: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """ids [1, N], length [1] -> hidden, m_p and logs_p [3, C, N]."""
    text = model.encode_text(ids, length)
    return torch.cat([text.hidden, text.m_p, text.logs_p]).float()
