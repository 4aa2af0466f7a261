"""Examples of a recogniser: transcripts as labels, features on disk, and batches of both.

Letters: B clips, T frames, C coefficients, N labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch

from voxgraft.audio.recogniser_features import hears_samples
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.corpus.prepare.features import PreparedFeatures, features_of
from voxgraft.corpus.transcript_spec import TranscriptSpec
from voxgraft.inference.recogniser.align import needed_frames
from voxgraft.training.loop.draws import generator


@dataclass(frozen=True)
class Example:
    """One utterance: `labels` [N] of its transcript `text`; sound and features stay on disk."""

    heard: PreparedFeatures
    text: str
    labels: np.ndarray

    @property
    def id(self) -> str:
        """The utterance's."""
        return self.heard.utterance.id

    @property
    def frames(self) -> int:
        """Frames T of its features."""
        return self.heard.frames

    @cached_property
    def needed(self) -> int:
        """Frames of output that CTC needs for its labels."""
        return needed_frames(self.labels.tolist())


@dataclass(frozen=True)
class Batch:
    """features [B, T, C], lengths [B]; labels [B, N]. `clips` are their indices, `frames` the lengths, `label_lengths` those
    of the labels and `total` the labels of the whole step, on all processes: numbers that no device has to be asked for."""

    features: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor
    clips: tuple[int, ...]
    frames: tuple[int, ...]
    label_lengths: tuple[int, ...]
    total: int

    def __len__(self) -> int:
        return len(self.clips)

    def part(self, begin: int, end: int) -> Batch:
        """Clips begin to end alone."""
        part = self._each(lambda value: value[begin:end])
        return replace(
            part,
            clips=self.clips[begin:end],
            frames=self.frames[begin:end],
            label_lengths=self.label_lengths[begin:end],
        )

    def pin_memory(self) -> Batch:
        """The same in memory that a GPU copies from by itself, while the program goes on."""
        return self._each(torch.Tensor.pin_memory)

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return self._each(lambda value: value.to(device, non_blocking=True))

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        tensors = {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), torch.Tensor)}
        return replace(self, **{name: change(value) for name, value in tensors.items()})


def make_examples(heard: Sequence[PreparedFeatures], transcript_spec: TranscriptSpec) -> tuple[Example, ...]:
    """Spell every transcript; characters that no label spells are errors of whoever hears them."""
    texts = [transcript_spec.transcript(one.utterance.text) for one in heard]
    return tuple(
        Example(one, text, np.array(transcript_spec.labels.spell(text).labels, np.int64))
        for one, text in zip(heard, texts, strict=True)
    )


def make_batch(
    examples: Sequence[Example],
    clips: Sequence[int],
    *,
    step: int = 0,
    first: int = 0,
    total: int | None = None,
    seed: int = 0,
    augmenter: Augmenter | None = None,
    progress: float = 0.0,
) -> Batch:
    """The clips of a step, or those from place `first` on of a larger one, whose labels are `total` in all."""
    chosen = [examples[clip] for clip in clips]
    heard = [
        _augmented(example, augmenter, seed, step, place, progress) if augmenter else example.heard.features
        for place, example in enumerate(chosen, first)
    ]
    count = sum(len(example.labels) for example in chosen)
    longest = max((len(one) for one in heard), default=0)
    features = np.zeros((len(heard), longest, heard[0].shape[1] if heard else 0), np.float32)
    labels = np.zeros((len(chosen), max((len(example.labels) for example in chosen), default=0)), np.int64)
    for row, (one, example) in enumerate(zip(heard, chosen, strict=True)):
        features[row, : len(one)] = one
        labels[row, : len(example.labels)] = example.labels
    return Batch(
        features=torch.from_numpy(features),
        lengths=torch.tensor([len(one) for one in heard]),
        labels=torch.from_numpy(labels),
        clips=tuple(clips),
        frames=tuple(len(one) for one in heard),
        label_lengths=tuple(len(example.labels) for example in chosen),
        total=count if total is None else total,
    )


def _augmented(example: Example, augmenter: Augmenter, seed: int, step: int, place: int, progress: float) -> np.ndarray:
    spec, features = example.heard.spec, example.heard.features
    if augmenter.changes_sound:
        features = features_of(
            augmenter.sound(example.heard.sound, generator(seed, "sound", step, place), progress), spec
        )
    frame_seconds = (1 if hears_samples(spec) else spec.hop) / spec.sample_rate
    return augmenter.features(features, frame_seconds, generator(seed, "features", step, place), progress)
