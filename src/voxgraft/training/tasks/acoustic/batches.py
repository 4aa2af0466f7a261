"""Batches of an acoustic model.

Letters in shapes: B clips, N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from voxgraft.corpus.prepare.prior import beta_binomial_prior
from voxgraft.training.tasks.acoustic.examples import Example


@dataclass(frozen=True)
class Batch:
    """Clips of one step, ready for the network.

    ids [B, N] int64, lengths [B] in symbols; mel [B, M, T], frames [B]; pitch and energy [B, T], deviations from the
    speaker's mean in standard deviations, 0 where there is no voice and in the padding; prior [B, T, N] of an aligner, or
    None; durations [B, N] in frames, int64, where a file gives them, or None; speaker and language [B], rows of the tables.

    `clips` are the indices of the examples, `symbols` and `mel_frames` the lengths again; `total`, `total_frames` and
    `total_symbols` are the clips, frames and symbols of the whole step, on all processes: numbers that no device has to be asked for. All parts of a step
    are padded to its longest clip, so that means over padded positions add up.
    """

    ids: torch.Tensor
    lengths: torch.Tensor
    mel: torch.Tensor
    frames: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor
    speaker: torch.Tensor
    language: torch.Tensor
    prior: torch.Tensor | None
    durations: torch.Tensor | None
    clips: tuple[int, ...]
    symbols: tuple[int, ...]
    mel_frames: tuple[int, ...]
    total: int
    total_frames: int
    total_symbols: int

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def usual_frames(self) -> float:
        """Frames of as many average clips of the step as are here: what a sum over frames is divided by to be a mean of the
        clips at hand that adds up to the step's mean over frames."""
        return self.total_frames * len(self) / self.total

    @property
    def usual_symbols(self) -> float:
        """The same of symbols."""
        return self.total_symbols * len(self) / self.total

    def part(self, begin: int, end: int) -> Batch:
        """Clips begin to end alone."""
        return replace(
            self._each(lambda x: x[begin:end]),
            clips=self.clips[begin:end],
            symbols=self.symbols[begin:end],
            mel_frames=self.mel_frames[begin:end],
        )

    def only(self, places: Sequence[int]) -> Batch:
        """The clips at these places alone."""
        index = torch.tensor(list(places)).to(self.ids.device)
        return replace(
            self._each(lambda x: x[index]),
            clips=tuple(self.clips[place] for place in places),
            symbols=tuple(self.symbols[place] for place in places),
            mel_frames=tuple(self.mel_frames[place] for place in places),
        )

    def with_durations(self, durations: torch.Tensor) -> Batch:
        """The same with durations [B, N] that were found or given."""
        return replace(self, durations=durations)

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
class StepSize:
    """What all parts of a step know of the whole: its clips, frames and symbols, and its longest text and sound."""

    clips: int
    frames: int
    symbols: int
    longest_text: int
    longest_sound: int


def step_size(examples: Sequence[Example], clips: Sequence[int]) -> StepSize:
    """Of a step of these clips."""
    texts, sounds = [len(examples[clip].ids) for clip in clips], [examples[clip].frames for clip in clips]
    return StepSize(len(clips), sum(sounds), sum(texts), max(texts), max(sounds))


def make_batch(
    examples: Sequence[Example], clips: Sequence[int], *, aligns: bool = True, of: StepSize | None = None
) -> Batch:
    """Clips as a batch, or as a part `of` a step; with the aligner's prior where the model `aligns`."""
    chosen = [examples[clip] for clip in clips]
    of = of or step_size(examples, clips)
    n, t = of.longest_text, of.longest_sound
    features = [example.features() for example in chosen]
    given = [example.durations for example in chosen if example.durations is not None]
    prior = None
    if aligns:
        prior = torch.from_numpy(np.stack([_padded(beta_binomial_prior(len(e.ids), e.frames), (t, n)) for e in chosen]))
    return Batch(
        ids=_stacked([example.ids for example in chosen], (n,)),
        lengths=torch.tensor([len(example.ids) for example in chosen]),
        mel=_stacked([one.mel for one in features], (len(features[0].mel), t)),
        frames=torch.tensor([example.frames for example in chosen]),
        pitch=_stacked([one.pitch for one in features], (t,)),
        energy=_stacked([one.energy for one in features], (t,)),
        speaker=torch.tensor([example.speaker for example in chosen]),
        language=torch.tensor([example.language for example in chosen]),
        prior=prior,
        durations=_stacked(given, (n,)) if len(given) == len(chosen) else None,
        clips=tuple(clips),
        symbols=tuple(len(example.ids) for example in chosen),
        mel_frames=tuple(example.frames for example in chosen),
        total=of.clips,
        total_frames=of.frames,
        total_symbols=of.symbols,
    )


def _stacked(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(np.stack([_padded(array, shape) for array in arrays]))


def _padded(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.pad(array, [(0, wanted - own) for wanted, own in zip(shape, array.shape, strict=True)])
