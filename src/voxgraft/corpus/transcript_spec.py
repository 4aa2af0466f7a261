"""TranscriptSpec: what a recogniser hears and writes, as far as recordings must fit it; nothing of its network is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from voxgraft.audio.recogniser_features import FeatureSpec, feature_count
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.inference.recogniser.labels import Labels, Spelt
from voxgraft.text.symbols import SymbolTable
from voxgraft.text.transcript import plain

Transcripts = Literal["plain", "as_is"]
Frames = Callable[[int], int]


@dataclass(frozen=True)
class TranscriptSpec:
    """`labels` are what it writes, `transcripts` how texts are made ready for them (recogniser.text). `frames_of` gives
    the frames of output for so many samples at `sample_rate`; None where that is not known."""

    labels: Labels
    transcripts: Transcripts = "plain"
    sample_rate: int | None = None
    frames_of: Frames | None = None

    def transcript(self, text: str) -> str:
        """A transcript as the recogniser is to write it."""
        if self.transcripts == "as_is":
            return " ".join(text.split())
        return plain(text, () if self.labels.bytes else self.letters)

    def spell(self, text: str) -> Spelt:
        """The labels of a transcript, and the characters that none spells."""
        return self.labels.spell(self.transcript(text))

    def frames(self, seconds: float) -> int | None:
        """Frames of output for a recording of this length."""
        if self.frames_of is None or self.sample_rate is None:
            return None
        return self.frames_of(round(seconds * self.sample_rate))

    @property
    def has_pieces(self) -> bool:
        """Whether some label spells several characters."""
        return any(len(spelling) > 1 for spelling in self.labels.spellings if spelling)

    @cached_property
    def letters(self) -> frozenset[str]:
        """All characters that labels hold."""
        return frozenset("".join(spelling for spelling in self.labels.spellings if spelling))


def transcript_spec_of(
    symbols: SymbolTable, base: Checkpoint | None, hearing: FeatureSpec, transcripts: Transcripts
) -> TranscriptSpec:
    """The spec that writes `symbols` and hears as `base` does; `hearing` where the base does not say."""
    spec = hearing if base is None else base.features or base.audio or hearing
    family, architecture = ("deepspeech", {}) if base is None else (base.family, base.architecture)
    return transcript_spec_for(symbols, family, architecture, spec, transcripts)


def transcript_spec_for(
    symbols: SymbolTable, family: str, architecture: Mapping[str, Any], spec: FeatureSpec, transcripts: Transcripts
) -> TranscriptSpec:
    """The spec that writes `symbols` with a network of this family and architecture, and hears `spec`."""
    return TranscriptSpec(Labels.of(symbols), transcripts, spec.sample_rate, _output_frames(family, architecture, spec))


def _output_frames(family: str, architecture: Mapping[str, Any], spec: FeatureSpec) -> Frames | None:
    """Samples -> frames of output, of the families whose strides are known."""
    if family == "wav2vec2":
        kernels, strides = architecture.get("conv_kernel", ()), architecture.get("conv_stride", ())
        return lambda samples: _convolved(samples, tuple(zip(kernels, strides, strict=True)))
    stride = {"deepspeech": 1, "whisper": 2, "fastconformer": architecture.get("subsampling_factor")}.get(family)
    if not isinstance(stride, int) or stride < 1:
        return None
    return lambda samples: -(-feature_count(samples, spec) // stride)


def _convolved(samples: int, layers: tuple[tuple[int, int], ...]) -> int:
    for kernel, stride in layers:
        samples = max(0, (samples - kernel) // stride + 1)
    return samples
