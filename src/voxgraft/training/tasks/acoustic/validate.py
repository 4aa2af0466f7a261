"""How good a text-to-spec model is at a validation: mels at the recordings' own durations, and the durations themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from voxgraft.training.loop.validation import Verdict
from voxgraft.training.tasks.acoustic.batches import Batch, make_batch
from voxgraft.training.tasks.acoustic.examples import Example
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily

# Frames of a batch, padding included: what bounds memory, however long the recordings.
MOST_FRAMES = 6000
# What the mean difference of log durations counts beside the mel distance: off by a quarter is as much worse as 0.09.
DURATION_WEIGHT = 0.4


@dataclass(frozen=True)
class ClipErrors:
    """Sums over one clip. `mel`: absolute differences of log mels, `values` of them, with durations forced, pitch and energy
    predicted; over `symbols`, `duration`: absolute differences of the logarithms of 1 + frames, `frames`: the same in frames."""

    text: str
    mel: float
    values: int
    duration: float
    frames: float
    symbols: int


@dataclass(frozen=True)
class Errors:
    """Of some clips, the sums of each."""

    clips: tuple[ClipErrors, ...]

    @property
    def mel(self) -> float:
        """Mean absolute difference of log mels."""
        return sum(clip.mel for clip in self.clips) / max(1, sum(clip.values for clip in self.clips))

    @property
    def duration(self) -> float:
        """Mean absolute difference of log durations."""
        return sum(clip.duration for clip in self.clips) / self._symbols

    @property
    def frames(self) -> float:
        """Mean absolute difference of durations in frames."""
        return sum(clip.frames for clip in self.clips) / self._symbols

    @property
    def _symbols(self) -> int:
        return max(1, sum(clip.symbols for clip in self.clips))

    @property
    def verdict(self) -> Verdict:
        """Less is better."""
        score = -(self.mel + DURATION_WEIGHT * self.duration)
        return Verdict(score, mel_distance=self.mel, duration_error=self.frames)


@torch.inference_mode()
def measure(network: nn.Module, family: AcousticFamily, examples: Sequence[Example], device: torch.device) -> Errors:
    """Of a network as it is, which is left in the mode that it was in."""
    was_training = network.training
    network.eval()
    found: dict[int, ClipErrors] = {}
    for places in _batches(examples):
        batch = make_batch(examples, places, aligns=family.aligns(network)).to(device)
        rows = _errors(network, family, batch)
        for place, row in zip(places, rows, strict=True):
            text = examples[place].prepared.utterance.text
            found[place] = ClipErrors(text, *row)
    network.train(was_training)
    return Errors(tuple(found[place] for place in sorted(found)))


def _errors(network: nn.Module, family: AcousticFamily, batch: Batch) -> list[tuple[float, int, float, float, int]]:
    if batch.durations is None:
        batch = batch.with_durations(family.align(network, batch))
    device = batch.mel.device
    made = family.teacher_forced(network, batch, force_pitch=False, force_energy=False).float()
    inside = torch.arange(batch.mel.shape[2], device=device) < batch.frames[:, None]
    mel = ((made - batch.mel).abs() * inside.unsqueeze(1)).sum((1, 2)).tolist()
    taken, real = family.durations(network, batch)
    spoken = torch.arange(batch.ids.shape[1], device=device) < batch.lengths[:, None]
    duration = ((torch.log1p(taken) - torch.log1p(real)).abs() * spoken).sum(1).tolist()
    frames = ((taken - real).abs() * spoken).sum(1).tolist()
    values = [count * batch.mel.shape[1] for count in batch.mel_frames]
    return list(zip(mel, values, duration, frames, batch.symbols, strict=True))


def _batches(examples: Sequence[Example]) -> Iterator[list[int]]:
    """Places of the examples, those of like length together, no batch over MOST_FRAMES but of one clip."""
    places: list[int] = []
    for place in sorted(range(len(examples)), key=lambda place: examples[place].frames):
        if places and examples[place].frames * (len(places) + 1) > MOST_FRAMES:
            yield places
            places = []
        places.append(place)
    if places:
        yield places
