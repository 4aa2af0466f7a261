"""Recogniser: speech to text with any recogniser that voxgraft exported, on onnxruntime, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.audio.read import audio_blocks, read_info
from voxgraft.audio.recogniser_features import feature_count, recogniser_features
from voxgraft.audio.resample import resample
from voxgraft.errors import AudioError, CheckpointError
from voxgraft.inference.recogniser.align import Alignment, align, needed_frames, words_of
from voxgraft.inference.recogniser.decoders.decode import BeamOptions, log_softmax
from voxgraft.inference.recogniser.decoders.decoder import Decoder
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.inference.recogniser.settings import METADATA_KEY, RecogniserSettings, read_recogniser_settings
from voxgraft.inference.recogniser.transcript import Alternative, Segment, Transcript, Word
from voxgraft.inference.recogniser.vad import Piece, SpeechPieces
from voxgraft.inference.session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_BLOCK_SECONDS = 10.0
# Pieces that are heard together at most, and how much longer than all they may be when filled up to the longest.
_AT_ONCE, _FILLED_UP = 8, 1.3
FEATURES, LENGTHS, OUTPUT_LENGTHS = "features", "lengths", "output_lengths"


class Recogniser:
    """A recogniser that is ready. `path` is its .onnx; `settings` is what its .onnx.json says."""

    def __init__(self, path: Path, settings: RecogniserSettings, session: InferenceSession) -> None:
        self.path = path
        self.settings = settings
        self.labels = Labels.of(settings.symbols)
        self._session = session
        self._inputs = {node.name: node.type for node in session.get_inputs()}
        self._outputs = [node.name for node in session.get_outputs()]
        self._together = _takes_several(session, settings)
        self._check_signature()

    @classmethod
    def load(cls, recogniser: str | Path, *, threads: int | None = None) -> Recogniser:
        """Open a recogniser: a .onnx with its .onnx.json, or a folder that holds them. Raises CheckpointError."""
        path = find_recogniser(Path(recogniser))
        session = open_session(path, threads=threads)
        embedded = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        return cls(path, read_recogniser_settings(path, embedded), session)

    @property
    def sample_rate(self) -> int:
        """Samples per second that it hears."""
        return self.settings.sample_rate

    def decoder(self) -> Decoder:
        """How it decodes unless told otherwise."""
        return Decoder(self.labels, BeamOptions(beams=self.settings.decoder.beams))

    def log_probs(self, audio: np.ndarray) -> np.ndarray:
        """Float [samples] at its own rate as logarithms of probabilities, float32 [T, V]; too little sound gives none."""
        features = self._features(audio)
        return self.run(features)[0] if len(features) else np.zeros((0, len(self.labels)), np.float32)

    def log_probs_of(self, many: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The same of several pieces of sound. A model that carries a state hears those of about the same length at once,
        for its weights are read from memory again in every frame."""
        if not self._together:
            return [self.log_probs(audio) for audio in many]
        features = [self._features(audio) for audio in many]
        found = [np.zeros((0, len(self.labels)), np.float32)] * len(many)
        most = 2 * self.settings.longest_seconds / self.settings.frame_seconds
        for batch in _alike([len(one) for one in features], most):
            for place, log_probs in zip(batch, self._run_together([features[place] for place in batch]), strict=True):
                found[place] = log_probs
        return found

    def run(self, features: np.ndarray, states: list[np.ndarray] | None = None) -> tuple[np.ndarray, list[np.ndarray]]:
        """Features as the model takes them -> logarithms of probabilities [T, V] and the states after them."""
        arranged = features.T if self.settings.bands_first else features
        feed = {FEATURES: np.ascontiguousarray(arranged[None], np.float32)}
        if LENGTHS in self._inputs:
            feed[LENGTHS] = np.array([len(features)], np.int64)
        own = self.settings.states
        for state, value in zip(own, states or self.first_states(), strict=True):
            feed[state.input] = value
        outputs = self._outputs_of(feed)
        logits = self._checked(outputs[self._outputs[0]], 1)[0]
        if OUTPUT_LENGTHS in outputs:
            logits = logits[: int(np.ravel(outputs[OUTPUT_LENGTHS])[0])]
        return log_softmax(logits), [outputs[state.output] for state in own]

    def _run_together(self, many: list[np.ndarray]) -> list[np.ndarray]:
        """Features of several pieces, each in its context -> logarithms of probabilities [T, V] of each."""
        longest = max(len(one) for one in many)
        padded = np.stack([np.pad(one, ((0, longest - len(one)), (0, 0))) for one in many])
        feed = {FEATURES: padded.astype(np.float32)}
        for state, value in zip(self.settings.states, self.first_states(), strict=True):
            feed[state.input] = np.repeat(value, len(many), axis=1)
        logits = self._checked(self._outputs_of(feed)[self._outputs[0]], len(many))
        # What is put in after a piece's end comes after all that it says.
        lengths = (len(one) - 2 * self.settings.context for one in many)
        return [log_softmax(one[:length]) for one, length in zip(logits, lengths, strict=True)]

    def _outputs_of(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            return dict(zip(self._outputs, self._session.run(None, feed), strict=True))
        except Exception as fault:
            raise CheckpointError(
                f"the recogniser failed on {list(feed[FEATURES].shape)}: {' '.join(str(fault).split())[:200]}",
                file=self.path,
                remedy="Check that the .onnx and the .onnx.json belong together, and that memory suffices.",
            ) from fault

    def first_states(self) -> list[np.ndarray]:
        """The states that an utterance begins with."""
        return [np.zeros(state.shape, np.float32) for state in self.settings.states]

    def transcribe(self, audio: np.ndarray, sample_rate: int, decoder: Decoder | None = None) -> Transcript:
        """The text of float [T] in -1 to 1, or [T, channels]; long sound is cut at pauses. Raises AudioError."""
        audio = np.asarray(audio, np.float32)
        if audio.ndim == 2:
            audio = audio.mean(axis=1)
        blocks = np.array_split(audio, max(1, int(len(audio) / (_BLOCK_SECONDS * sample_rate))))
        segments = tuple(self._segments(iter(blocks), sample_rate, len(audio) / sample_rate, decoder))
        return Transcript(segments, len(audio) / sample_rate)

    def transcribe_file(self, path: Path, decoder: Decoder | None = None) -> Iterator[Segment]:
        """The segments of a recording of any length, one by one: memory stays flat. Raises AudioError."""
        info = read_info(path)
        with audio_blocks(path, _BLOCK_SECONDS) as blocks:
            yield from self._segments(blocks, info.sample_rate, info.duration, decoder)

    def align(self, audio: np.ndarray, sample_rate: int, text: str) -> tuple[Alignment, tuple[Word, ...]]:
        """Which part of float [T] says which word of `text`. Raises AudioError where the text can't fit the sound."""
        spelt = self.labels.spell(text)
        if not spelt.labels:
            raise AudioError(
                "the recogniser can write nothing of this text",
                got=text[:40] or "nothing",
                remedy="Check the text, and that it is in the recogniser's language.",
            )
        log_probs = self.log_probs(resample(audio, sample_rate, self.sample_rate))
        aligned = align(log_probs, spelt.labels, self.labels.blank)
        return aligned, words_of(aligned, self.labels, self.settings.frame_seconds)

    def segment(self, log_probs: np.ndarray, decoder: Decoder, start: float, end: float) -> Segment:
        """What float [T, V] says, from `start` to `end` seconds."""
        best, *others = decoder.decode(log_probs)
        alternatives = tuple(Alternative(other.text, other.score) for other in others)
        return Segment(best.text, start, end, best.score, self.timed(log_probs, best.labels, start), alternatives)

    def timed(self, log_probs: np.ndarray, labels: tuple[int, ...], start: float) -> tuple[Word, ...]:
        """The words that labels spell, with their times from `start`; none where the frames can't spell them."""
        if not labels or needed_frames(labels) > len(log_probs):
            return ()
        aligned = align(log_probs, labels, self.labels.blank)
        return words_of(aligned, self.labels, self.settings.frame_seconds, start)

    def _segments(
        self, blocks: Iterator[np.ndarray], rate: int, duration: float, decoder: Decoder | None
    ) -> Iterator[Segment]:
        decoder = decoder or self.decoder()
        if duration <= self.settings.longest_seconds:
            pieces = iter([Piece(0.0, np.concatenate([np.zeros(0, np.float32), *blocks]))])
        else:
            pieces = _pieces(blocks, rate, self.settings.longest_seconds)
        while group := list(islice(pieces, _AT_ONCE if self._together else 1)):
            found = self.log_probs_of([resample(piece.audio, rate, self.sample_rate) for piece in group])
            for piece, log_probs in zip(group, found, strict=True):
                yield self.segment(log_probs, decoder, piece.start, piece.start + len(piece.audio) / rate)

    def _features(self, audio: np.ndarray) -> np.ndarray:
        """What the model takes of float [samples], with the nothing that is before and after it; none of too little."""
        spec, context = self.settings.audio, self.settings.context
        if not feature_count(len(audio), spec) or (self.settings.hears_samples and len(audio) < spec.win):
            return np.zeros(0, np.float32)
        features = recogniser_features(audio, spec)
        return np.pad(features, ((context, context), (0, 0))) if context else features

    def _checked(self, output: object, count: int) -> np.ndarray:
        logits = np.asarray(output)
        if logits.ndim != 3 or logits.shape[0] != count or logits.shape[2] != len(self.labels):
            raise CheckpointError(
                "the model's output does not belong to its symbols",
                file=self.path,
                field=self._outputs[0],
                expected=f"[{count}, frames, {len(self.labels)}]",
                got=str(list(logits.shape)),
                remedy="Take the .onnx.json that was exported with this model.",
            )
        # A frame may forbid some symbols (-Inf), but not all.
        if not np.isfinite(logits.max(axis=-1)).all():
            raise CheckpointError(
                "the model gives numbers that are not finite",
                file=self.path,
                remedy="Its weights are damaged or were spoilt in training. Use an earlier checkpoint or another copy.",
            )
        return logits

    def _check_signature(self) -> None:
        """Names that the settings speak of and the model lacks, and what the model wants besides."""
        wanted = {FEATURES: "tensor(float)"} | {state.input: "tensor(float)" for state in self.settings.states}
        optional = {LENGTHS: "tensor(int64)"}
        states = {state.output for state in self.settings.states}
        fits = all(self._inputs.get(name) == kind for name, kind in wanted.items())
        foreign = {
            name: kind for name, kind in self._inputs.items() if name not in wanted and optional.get(name) != kind
        }
        if fits and not foreign and states <= set(self._outputs) and self._outputs:
            return
        raise CheckpointError(
            "this model is not what its settings say",
            file=self.path,
            field="inputs and outputs",
            expected=", ".join([*(f"{name} {kind}" for name, kind in wanted.items()), *sorted(states)]),
            got=", ".join([*(f"{name} {kind}" for name, kind in self._inputs.items()), *self._outputs])[:200],
            remedy="Take the .onnx.json that was exported with this model.",
        )


def find_recogniser(path: Path) -> Path:
    """The .onnx of a recogniser given as the file or the folder that holds it. Raises CheckpointError."""
    if path.is_dir():
        models = sorted(path.glob("*.onnx"))
        if len(models) == 1:
            return models[0]
        raise CheckpointError(
            "this folder holds no recogniser" if not models else "this folder holds several models",
            file=path,
            expected="one .onnx file",
            got=", ".join(model.name for model in models[:4]) or "none",
            remedy="Name the .onnx file itself.",
        )
    if path.is_file():
        return path
    raise CheckpointError(
        "there is no such recogniser",
        file=path,
        expected="a .onnx file, or a folder that holds one",
        got="nothing by that name",
        remedy="Check the path; `voxgraft export` writes one from a run.",
    )


def _alike(lengths: list[int], most: float) -> Iterator[list[int]]:
    """The places of lengths above 0, those of about the same length together, at most `most` when filled up."""
    batch: list[int] = []
    for place in sorted((place for place, length in enumerate(lengths) if length), key=lambda place: lengths[place]):
        filled = lengths[place] * (len(batch) + 1)
        if batch and filled > min(most, _FILLED_UP * sum(lengths[one] for one in (*batch, place))):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _takes_several(session: InferenceSession, settings: RecogniserSettings) -> bool:
    """Whether a model that carries states leaves open how many utterances it hears at once."""
    batches = [node.shape[0] for node in session.get_inputs() if node.name == FEATURES and node.shape]
    states = settings.states and all(len(state.shape) == 3 and state.shape[1] == 1 for state in settings.states)
    return bool(states and batches and not isinstance(batches[0], int))


def _pieces(blocks: Iterator[np.ndarray], rate: int, longest: float) -> Iterator[Piece]:
    cutter = SpeechPieces(rate, longest)
    for block in blocks:
        yield from cutter.push(block)
    yield from cutter.push(np.zeros(0, np.float32), last=True)
