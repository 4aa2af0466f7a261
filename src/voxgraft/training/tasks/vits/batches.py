"""Batches as a function of the step: which clips, which window of each, and the noise that goes with it.

Letters: B clips, N symbols, W window frames, F bins, D latent channels, S segment frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from voxgraft.training.loop.draws import generator
from voxgraft.training.tasks.vits.examples import Example


@dataclass(frozen=True)
class Batch:
    """Clips of one step, ready for the model.

    ids [B, N], id_lengths [B], speaker [B]; spectrogram [B, F, W] of the window, which begins at frame begins [B] of its
    clip and has window_lengths [B] real frames; certain [B, 1, W] is 1 where a frame's surroundings are in the window
    too, so that the posterior is what the whole clip would give; offsets [B] where the segment begins in the window;
    audio [B, S * hop] the recording of the segment; noise and prior_noise [B, D, W]. `clips` are their indices, `symbols`
    the lengths of their texts and `total` the clips of the whole step, on all processes: numbers that no device has to be
    asked for.
    """

    ids: torch.Tensor
    id_lengths: torch.Tensor
    speaker: torch.Tensor
    spectrogram: torch.Tensor
    begins: torch.Tensor
    window_lengths: torch.Tensor
    certain: torch.Tensor
    offsets: torch.Tensor
    audio: torch.Tensor
    noise: torch.Tensor
    prior_noise: torch.Tensor
    clips: tuple[int, ...]
    symbols: tuple[int, ...]
    total: int

    def __len__(self) -> int:
        return len(self.clips)

    def part(self, begin: int, end: int) -> Batch:
        """Clips begin to end alone."""
        part = self._each(lambda x: x[begin:end])
        return replace(part, clips=self.clips[begin:end], symbols=self.symbols[begin:end])

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
    """How clips are cut: frames of the window (None: whole clips) and of the segment, and the latent's channels."""

    window: int | None
    segment: int
    hop: int
    latent_channels: int
    # Fewer than the 64 frames that posterior and flow reach together: what lies further off hardly counts.
    context: int = 8


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
    cuts = [_cut(examples[clip], cutting, generator(seed, "clip", step, i)) for i, clip in enumerate(clips, first)]
    longest = max(cut.frames for cut in cuts)
    ids = [examples[clip].ids for clip in clips]
    return Batch(
        ids=torch.from_numpy(_stacked(ids, max(len(i) for i in ids))),
        id_lengths=torch.tensor([len(i) for i in ids]),
        speaker=torch.tensor([examples[clip].speaker for clip in clips]),
        spectrogram=torch.from_numpy(_stacked([cut.spectrogram for cut in cuts], longest)),
        begins=torch.tensor([cut.begin for cut in cuts]),
        window_lengths=torch.tensor([cut.frames for cut in cuts]),
        certain=torch.from_numpy(_stacked([cut.certain for cut in cuts], longest))[:, None],
        offsets=torch.tensor([cut.offset for cut in cuts]),
        audio=torch.from_numpy(np.stack([cut.audio for cut in cuts])),
        noise=torch.from_numpy(_stacked([cut.noise for cut in cuts], longest)),
        prior_noise=torch.from_numpy(_stacked([cut.prior_noise for cut in cuts], longest)),
        clips=tuple(clips),
        symbols=tuple(len(i) for i in ids),
        total=len(clips) if total is None else total,
    )


@dataclass(frozen=True)
class _Cut:
    begin: int
    frames: int
    offset: int
    spectrogram: np.ndarray
    certain: np.ndarray
    audio: np.ndarray
    noise: np.ndarray
    prior_noise: np.ndarray


def _cut(example: Example, cutting: Cutting, draw: np.random.Generator) -> _Cut:
    total = example.frames
    start = int(draw.integers(0, total - cutting.segment + 1))
    # What is decoded lies inside what is encoded, however short a window is asked for.
    window = min(max(cutting.window or total, cutting.segment), total)
    begin = min(max(start - (window - cutting.segment) // 2, 0), total - window)
    certain = np.ones(window, np.float32)
    # Nothing is missing at the ends of the clip itself.
    if begin > 0:
        certain[: cutting.context] = 0
    if begin + window < total:
        certain[window - cutting.context :] = 0
    samples = slice(start * cutting.hop, (start + cutting.segment) * cutting.hop)
    audio = example.prepared.audio_between(samples.start, samples.stop)
    shape = (cutting.latent_channels, window)
    return _Cut(
        begin=begin,
        frames=window,
        offset=start - begin,
        spectrogram=example.prepared.spectrogram_between(begin, begin + window),
        certain=certain,
        audio=np.pad(audio, (0, cutting.segment * cutting.hop - len(audio))),
        noise=draw.standard_normal(shape, np.float32),
        prior_noise=draw.standard_normal(shape, np.float32),
    )


def _stacked(arrays: Sequence[np.ndarray], longest: int) -> np.ndarray:
    """Arrays of different last axis, zero-padded: [B, ..., longest]."""
    return np.stack([np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, longest - a.shape[-1])]) for a in arrays])
