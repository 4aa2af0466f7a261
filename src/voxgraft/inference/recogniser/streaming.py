"""Streaming: sound goes in as it comes, text comes out, and what is called stable never changes again; memory stays flat."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from voxgraft.audio.mfcc import MfccSpec, MfccStream
from voxgraft.errors import TextError
from voxgraft.inference.recogniser.decoders.decoder import Decoder, Search
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.inference.recogniser.transcript import Segment, Transcript

# A pause that ends a segment; a shorter one that ends a long segment; where one ends whatever is said.
_ENDING_SECONDS, _SHORT_SECONDS = 0.8, 0.2
_LONG_SEGMENT, _LONGEST_SEGMENT = 15.0, 30.0
_STEP_FRAMES = 16
_LEFT_SECONDS, _STEP_SECONDS, _RIGHT_SECONDS = 4.0, 0.8, 0.8


class Partial(NamedTuple):
    """`text` so far; it begins with `stable`, which nothing that comes can change."""

    stable: str
    text: str


class Frames(Protocol):
    """A recogniser's outputs as the sound comes in."""

    def push(self, audio: np.ndarray, *, last: bool = False) -> np.ndarray:
        """The next sound, float [samples] -> the frames that are known now, float [T, V]."""


class StatefulFrames:
    """Outputs of a model that carries its state from piece to piece: those of the whole, to the last bit that the
    runtime keeps."""

    def __init__(self, recogniser: Recogniser, spec: MfccSpec) -> None:
        self._recogniser = recogniser
        self._features = MfccStream(spec)
        self._states = recogniser.first_states()
        self._context = recogniser.settings.context
        self._waiting = np.zeros((self._context, spec.coefficients), np.float32)
        self._heard = False

    def push(self, audio: np.ndarray, *, last: bool = False) -> np.ndarray:
        """The next sound, float [samples] -> the frames that are known now, float [T, V]."""
        new = self._features.push(audio)
        self._heard = self._heard or len(new) > 0
        self._waiting = np.concatenate([self._waiting, new])
        if last and self._heard:
            self._waiting = np.pad(self._waiting, ((0, self._context), (0, 0)))
        ready = len(self._waiting) - 2 * self._context
        if ready <= 0 or (ready < _STEP_FRAMES and not last):
            return np.zeros((0, len(self._recogniser.labels)), np.float32)
        log_probs, self._states = self._recogniser.run(self._waiting, self._states)
        self._waiting = self._waiting[ready:]
        return log_probs


class WindowedFrames:
    """Outputs of a model that hears a recording as a whole: it hears some seconds around each new piece again."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        seconds = recogniser.settings.frame_seconds
        self._frame = seconds * recogniser.sample_rate
        self._left, self._step, self._right = (
            max(1, round(part / seconds)) for part in (_LEFT_SECONDS, _STEP_SECONDS, _RIGHT_SECONDS)
        )
        self._audio = np.zeros(0, np.float32)
        self._origin = 0  # the frame that `_audio` begins with
        self._done = 0  # frames given out

    def push(self, audio: np.ndarray, *, last: bool = False) -> np.ndarray:
        """The next sound, float [samples] -> the frames that are known now, float [T, V]."""
        self._audio = np.concatenate([self._audio, np.asarray(audio, np.float32)])
        known = [np.zeros((0, len(self._recogniser.labels)), np.float32)]
        while len(self._audio) >= self._sample(self._done + self._step + self._right) - self._sample(self._origin):
            until = self._sample(self._done + self._step + self._right) - self._sample(self._origin)
            known.append(self._heard(self._audio[:until])[: self._step])
            self._done += self._step
            first = max(self._origin, self._done - self._left)
            self._audio = self._audio[self._sample(first) - self._sample(self._origin) :].copy()
            self._origin = first
        if last and len(self._audio):
            known.append(self._heard(self._audio))
        return np.concatenate(known)

    def _heard(self, audio: np.ndarray) -> np.ndarray:
        return self._recogniser.log_probs(audio)[self._done - self._origin :]

    def _sample(self, frame: int) -> int:
        return round(frame * self._frame)


class StreamingSession:
    """One stream of sound at `sample_rate`. `feed` it as it comes; `finish` gives the whole transcript with times."""

    def __init__(self, recogniser: Recogniser, sample_rate: int, decoder: Decoder | None = None) -> None:
        self._recogniser = recogniser
        self._decoder = decoder or recogniser.decoder()
        if self._decoder.lexicon is not None:
            raise TextError("decoding with a lexicon can't stream", field="lexicon", remedy="Leave --lexicon out.")
        self._resampler = None
        if sample_rate != recogniser.sample_rate:
            import soxr

            self._resampler = soxr.ResampleStream(sample_rate, recogniser.sample_rate, 1, dtype="float32")
        spec = recogniser.settings.audio
        streams = bool(recogniser.settings.states) and isinstance(spec, MfccSpec)
        self._frames: Frames = StatefulFrames(recogniser, spec) if streams else WindowedFrames(recogniser)
        self._segments: list[Segment] = []
        self._rate, self._samples = sample_rate, 0
        self._count = 0  # frames before this segment
        self._begin()

    def feed(self, audio: np.ndarray) -> Partial:
        """The next sound, float [samples] in -1 to 1; what is known of the text now."""
        self._take(audio, last=False)
        labels = self._recogniser.labels
        return Partial(self._joined(labels.text(self._search.stable)), self._joined(labels.text(self._search.best)))

    def finish(self) -> Transcript:
        """No more sound comes: the transcript, with words and times."""
        self._take(np.zeros(0, np.float32), last=True)
        self._end()
        return Transcript(tuple(self._segments), self._samples / self._rate)

    def take_segments(self) -> list[Segment]:
        """The segments that have ended, which are then forgotten: for streams that never end."""
        taken, self._segments = self._segments, []
        return taken

    def _take(self, audio: np.ndarray, *, last: bool) -> None:
        audio = np.asarray(audio, np.float32)
        self._samples += len(audio)
        heard = audio if self._resampler is None else self._resampler.resample_chunk(audio, last)
        log_probs = self._frames.push(heard, last=last)
        silent = np.argmax(log_probs, axis=1) == self._recogniser.labels.blank if len(log_probs) else []
        first = 0
        for frame, blank in enumerate(silent, 1):
            self._pause = self._pause + 1 if blank else 0
            self._length += 1
            if self._is_over():
                self._push(log_probs[first:frame])
                first = frame
                self._end()
        self._push(log_probs[first:])

    def _push(self, log_probs: np.ndarray) -> None:
        if len(log_probs):
            self._search.push(log_probs)
            self._heard.append(log_probs)

    def _is_over(self) -> bool:
        """Whether the segment ends here: at a frame, so that it doesn't matter in what pieces the sound comes."""
        seconds = self._recogniser.settings.frame_seconds
        pause, length = self._pause * seconds, self._length * seconds
        return (
            pause >= _ENDING_SECONDS
            or (length >= _LONG_SEGMENT and pause >= _SHORT_SECONDS)
            or length >= _LONGEST_SEGMENT
        )

    def _begin(self) -> None:
        self._search: Search = self._decoder.start()
        self._heard: list[np.ndarray] = []
        self._length = self._pause = 0

    def _end(self) -> None:
        """Close the segment; silence leaves none."""
        if self._heard:
            best, *_ = self._search.finish(1)
            seconds = self._recogniser.settings.frame_seconds
            start, end = self._count * seconds, (self._count + self._length) * seconds
            if best.text:
                words = self._recogniser.timed(np.concatenate(self._heard), best.labels, start)
                self._segments.append(Segment(best.text, round(start, 3), round(end, 3), best.score, words))
        self._count += self._length
        self._begin()

    def _joined(self, current: str) -> str:
        return " ".join([*(segment.text for segment in self._segments), *([current] if current else [])])
