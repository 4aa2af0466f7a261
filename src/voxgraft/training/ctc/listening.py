"""What a recogniser hears in some recordings: texts, errors, loss and how much of it is blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.evaluation.bootstrap import Interval, ratio_interval
from voxgraft.evaluation.metrics.transcript import ErrorCount, character_errors, pooled, word_errors
from voxgraft.inference.decode import greedy
from voxgraft.inference.labels import Labels
from voxgraft.training.ctc.examples import Example, make_batch
from voxgraft.training.ctc.module import ctc_losses

# Features of a batch, padding included: what bounds memory, however long the recordings.
MOST_FRAMES = 6000


@dataclass(frozen=True)
class Transcribed:
    """One utterance: what was said and what was heard, with the errors."""

    id: str
    audio: str
    said: str
    heard: str
    characters: ErrorCount
    words: ErrorCount


@dataclass(frozen=True)
class Hearing:
    """All utterances. `loss` is CTC's, in nats a label; `blank` the share of frames that are nothing but blank."""

    rows: tuple[Transcribed, ...]
    loss: float
    blank: float

    @property
    def cer(self) -> float:
        """Character error rate, pooled, uncapped."""
        return pooled([row.characters for row in self.rows])

    @property
    def wer(self) -> float:
        """Word error rate, pooled, uncapped."""
        return pooled([row.words for row in self.rows])

    @property
    def silent(self) -> float:
        """Share of the utterances in which nothing was heard."""
        return sum(not row.heard for row in self.rows) / max(1, len(self.rows))

    def interval(self, measure: str) -> Interval | None:
        """`cer` or `wer` with its 95 % interval: (value, low, high)."""
        counts = [(row.id, row.characters if measure == "cer" else row.words) for row in self.rows]
        return ratio_interval([(name, count.edits, count.length) for name, count in counts])

    def to_dict(self, worst: int = 20) -> dict[str, Any]:
        """Plain data: measures, and the worst utterances."""
        rows = sorted(self.rows, key=lambda row: -row.characters.edits / max(1, row.characters.length))
        return {
            "cer": self.interval("cer"),
            "wer": self.interval("wer"),
            "utterances": len(self.rows),
            "worst": [{"id": r.id, "audio": r.audio, "said": r.said, "heard": r.heard} for r in rows[:worst]],
        }


@torch.inference_mode()
def listen(
    network: nn.Module, examples: Sequence[Example], labels: Labels, device: torch.device, *, foreign: bool = False
) -> Hearing:
    """Have a recogniser hear utterances, greedily; it is left in the mode that it was in.

    `foreign`: the examples are spelt in other labels than the recogniser's, so that there is no loss (0).
    """
    was_training = network.training
    network.eval()
    rows: list[Transcribed | None] = [None] * len(examples)
    loss = blank = 0.0
    frames = 0
    for places in _batches(examples):
        batch = make_batch(examples, places).to(device)
        logits = network(batch.features, batch.lengths)
        lengths = network.output_lengths(batch.lengths)
        if not foreign:
            loss += float(ctc_losses(logits, lengths, batch, labels.blank).sum())
        log_probs = F.log_softmax(logits.float(), dim=-1).cpu().numpy()
        for place, frame, length in zip(places, log_probs, lengths.tolist(), strict=True):
            rows[place] = _row(examples[place], greedy(frame[:length], labels))
            blank += float((np.argmax(frame[:length], axis=1) == labels.blank).sum())
            frames += length
    network.train(was_training)
    spelt = sum(len(example.labels) for example in examples)
    return Hearing(tuple(row for row in rows if row is not None), loss / max(1, spelt), blank / max(1, frames))


def _batches(examples: Sequence[Example]) -> list[list[int]]:
    """Places of the examples, those of like length together, no batch over MOST_FRAMES but of one clip."""
    batches: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(examples)), key=lambda place: examples[place].frames):
        longest = max(longest, examples[place].frames)
        if batches and longest * (len(batches[-1]) + 1) <= MOST_FRAMES:
            batches[-1].append(place)
        else:
            batches.append([place])
            longest = examples[place].frames
    return batches


def _row(example: Example, heard: str) -> Transcribed:
    said = example.text
    return Transcribed(
        example.id,
        example.heard.utterance.audio,
        said,
        heard,
        character_errors(said, heard),
        word_errors(said, heard),
    )
