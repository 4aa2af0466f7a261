"""Examples: recordings as a vocoder learns from them, read from the cache when they are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.frames import PreparedFrames
from voxgraft.errors import TrainingError
from voxgraft.training.tasks.vocoder.generated import read_mel


@dataclass(frozen=True)
class Example:
    """One recording: audio and spectrogram stay on disk. `generated` is the file of the spectrogram that an acoustic model
    generated of it."""

    prepared: PreparedFrames
    spec: AudioSpec
    generated: Path | None = None

    @property
    def frames(self) -> int:
        """Frames T; its samples are T * hop."""
        return self.prepared.frames

    def input_between(self, begin: int, end: int, *, generated: bool) -> np.ndarray:
        """What the vocoder is given, float32 [M, end - begin]: the generated log mel, or the recording's own."""
        if not generated or self.generated is None:
            return self.prepared.mel_between(begin, end)
        return np.ascontiguousarray(read_mel(self.generated)[:, begin:end], dtype=np.float32)

    def audio_between(self, begin: int, end: int) -> np.ndarray:
        """The samples of frames `begin` to `end`, float32 [(end - begin) * hop]."""
        return self.prepared.audio_between(begin * self.spec.hop, end * self.spec.hop)


@dataclass(frozen=True)
class Examples:
    """The trainable examples, and what was left out and why."""

    kept: tuple[Example, ...]
    left_out: Mapping[str, str]


def make_examples(
    prepared: Sequence[PreparedFrames],
    spec: AudioSpec,
    segment: int,
    limits: tuple[float, float],
    generated: Mapping[str, Path],
) -> Examples:
    """A recording is left out where it is outside `limits` (seconds) or shorter than a segment (frames)."""
    kept, left_out = [], {}
    for item in prepared:
        example = Example(item, spec, generated.get(item.utterance.id))
        reason = _unfit(example, segment, limits)
        if reason is None:
            kept.append(example)
        else:
            left_out[item.utterance.id] = reason
    return Examples(tuple(kept), left_out)


def _unfit(example: Example, segment: int, limits: tuple[float, float]) -> str | None:
    shortest, longest = limits
    duration = example.prepared.utterance.duration
    if not shortest <= duration <= longest:
        return f"{duration:.1f} s long, outside {shortest:g} to {longest:g} s"
    if example.frames < segment:
        return f"{example.frames} frames of sound, fewer than a training segment of {segment}"
    return None


def require_examples(examples: Examples, manifest: Manifest) -> None:
    """TrainingError where nothing is left to learn from, with the commonest reason."""
    if examples.kept:
        return
    reasons = Counter(examples.left_out.values()).most_common(1)
    raise TrainingError(
        f"none of the {len(manifest)} recordings can be trained on",
        got=reasons[0][0] if reasons else "an empty corpus",
        remedy="Set a smaller vocoder.segment, or other limits (corpus.shortest, corpus.longest).",
    )
