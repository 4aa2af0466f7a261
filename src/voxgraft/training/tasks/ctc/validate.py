"""What a recogniser hears in some recordings: texts, errors, loss and how much of it is blank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.evaluation.hearing import Hearing, Transcribed, transcribed
from voxgraft.inference.recogniser.decoders.decode import greedy
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.training.tasks.ctc.examples import Example, make_batch
from voxgraft.training.tasks.ctc.module import ctc_losses, output_frames

# Features of a batch, padding included: what bounds memory, however long the recordings.
MOST_FRAMES = 6000


@torch.inference_mode()
def transcribe(
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
        lengths = output_frames(network, batch)
        if not foreign:
            loss += float(ctc_losses(logits, lengths, batch, labels.blank).sum())
        log_probs = F.log_softmax(logits.float(), dim=-1).cpu().numpy()
        for place, frame, length in zip(places, log_probs, lengths, strict=True):
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
    utterance = example.heard.utterance
    return transcribed(example.id, utterance.audio, example.text, heard, utterance.duration)
