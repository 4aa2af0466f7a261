"""Batches as a function of the step: which clips, which stretch of each, and whose spectrogram.

Letters: B clips, M mel bands, T frames of the segment, S samples, C channels of noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from voxgraft.training.loop.draws import generator
from voxgraft.training.tasks.vocoder.examples import Example


@dataclass(frozen=True)
class Batch:
    """Clips of one step: mel [B, M, T] that the vocoder is given, the recording audio [B, S] of the same stretch, and noise
    [B, C, T] for networks that want some. `total` counts the clips of the whole step, on all processes."""

    mel: torch.Tensor
    audio: torch.Tensor
    noise: torch.Tensor
    clips: tuple[int, ...]
    total: int

    def __len__(self) -> int:
        return len(self.clips)

    def part(self, begin: int, end: int) -> Batch:
        """Clips begin to end alone."""
        return replace(self._each(lambda x: x[begin:end]), clips=self.clips[begin:end])

    def pin_memory(self) -> Batch:
        """The same in memory that a GPU copies from by itself, while the program goes on."""
        return self._each(torch.Tensor.pin_memory)

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return self._each(lambda x: x.to(device, non_blocking=True))

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        tensors = {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), torch.Tensor)}
        return replace(self, **{name: change(value) for name, value in tensors.items()})


@dataclass(frozen=True)
class Cutting:
    """How clips are cut: frames of a segment, channels of noise, and the share of clips whose spectrogram is generated."""

    segment: int
    noise_channels: int = 0
    generated_share: float = 0.0


def make_batch(
    examples: Sequence[Example],
    clips: Sequence[int],
    cutting: Cutting,
    seed: int,
    step: int,
    first: int = 0,
    total: int | None = None,
) -> Batch:
    """The clips of a step, or those from place `first` on of one of `total` clips: their draws are the same either way."""
    count = len(clips) if total is None else total
    chosen = generated_places(count, cutting.generated_share, seed, step)
    mels, sounds, noises = [], [], []
    for place, clip in enumerate(clips, first):
        draw = generator(seed, "clip", step, place)
        example = examples[clip]
        begin = int(draw.integers(0, example.frames - cutting.segment + 1))
        end = begin + cutting.segment
        mels.append(example.input_between(begin, end, generated=place in chosen))
        sounds.append(example.audio_between(begin, end))
        noises.append(draw.standard_normal((cutting.noise_channels, cutting.segment), np.float32))
    mel, audio, noise = (torch.from_numpy(np.stack(found)) for found in (mels, sounds, noises))
    return Batch(mel, audio, noise, tuple(clips), count)


def generated_places(count: int, share: float, seed: int, step: int) -> frozenset[int]:
    """The places of a step's `count` clips that get the generated spectrogram: over the steps their share is `share`."""
    draw = generator(seed, "generated", step)
    exact = share * count
    many = int(exact) + int(draw.random() < exact - int(exact))
    return frozenset(int(place) for place in draw.permutation(count)[:many])
