"""Judge: a voice speaks texts; how well it is understood, and how like the target it sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voxgraft.evaluation.instruments import Clip, Instruments, compare_pitch_and_timbre, finite, load_instruments
from voxgraft.evaluation.metrics.speaker import SpeakerEncoder, leave_one_out, similarity, target_of
from voxgraft.evaluation.metrics.transcript import character_errors, pooled, word_errors
from voxgraft.evaluation.metrics.world import Analysis
from voxgraft.evaluation.scores import ClipScore, Scores

Speak = Callable[[str, int], np.ndarray]
Advance = Callable[[], None]


@dataclass(frozen=True)
class HeldOut:
    """A text that no voice under test was trained on, and the target's own recording of it where there is one."""

    id: str
    text: str
    recording: Clip | None = None


@dataclass(frozen=True)
class Impression:
    """What a few sentences tell: pooled error rates, and the mean similarity to the target; None where not measured."""

    cer: float | None
    wer: float | None
    speaker_similarity: float | None
    heard: tuple[str, ...]


class Judge:
    """Recogniser, speaker encoder and target, loaded once: for validation while a voice is trained."""

    def __init__(
        self,
        target: Sequence[tuple[np.ndarray, int]],
        *,
        language: str = "en",
        recogniser: str = "auto",
        threads: int = 2,
        required: bool = True,
    ) -> None:
        """`target`: recordings of the wanted voice, each (float32 [T], sample rate).

        MissingExtra or EvaluationError where an instrument can't be had; with `required=False` its measures are None
        instead, and `absent` says why.
        """
        tools = load_instruments(
            language=language,
            recogniser=recogniser,
            threads=threads,
            wanted=("cer", "wer", "speaker_similarity"),
            required=required,
        )
        self.absent = tools.absent
        self._tools = tools
        encoder = tools.encoder
        self.target = target_of([encoder.embed(*recording) for recording in target]) if encoder else None

    def score(self, clips: Sequence[np.ndarray], sample_rate: int, texts: Sequence[str]) -> Impression:
        """Score spoken clips [T] against their texts. EvaluationError for samples that are not finite."""
        clips = [finite(clip, "the voice") for clip in clips]
        recogniser = self._tools.recogniser
        heard = tuple(recogniser.transcribe(clip, sample_rate) for clip in clips) if recogniser else ()
        pairs = list(zip(texts, heard, strict=True)) if recogniser else []
        return Impression(
            cer=pooled([character_errors(*pair) for pair in pairs]) if pairs else None,
            wer=pooled([word_errors(*pair) for pair in pairs]) if pairs else None,
            speaker_similarity=self._likeness(clips, sample_rate),
            heard=heard,
        )

    def _likeness(self, clips: Sequence[np.ndarray], sample_rate: int) -> float | None:
        encoder, target = self._tools.encoder, self.target
        if encoder is None or target is None or not clips:
            return None
        return float(np.mean([similarity(encoder.embed(clip, sample_rate), target) for clip in clips]))


@dataclass(frozen=True)
class Bench:
    """Instruments set up for one target: its embedding, and the analyses of its held-out recordings by text id."""

    instruments: Instruments
    target: np.ndarray | None
    analyses: dict[str, Analysis]


def prepare_bench(
    instruments: Instruments, held_out: Sequence[HeldOut], target: Sequence[Clip], advance: Advance = lambda: None
) -> Bench:
    """Embed the target's recordings and analyse the held-out ones, once for all voices; `advance` after each."""
    embeddings = []
    if instruments.encoder:
        for clip in target:
            embeddings.append(instruments.encoder.embed(*clip))
            advance()
    analyses = {
        line.id: instruments.world.analyse(*line.recording)
        for line in held_out
        if line.recording is not None and instruments.world
    }
    return Bench(instruments, target_of(embeddings) if embeddings else None, analyses)


def judge(
    speak: Speak,
    sample_rate: int,
    held_out: Sequence[HeldOut],
    bench: Bench,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    keep: Callable[[HeldOut, int, np.ndarray], None] = lambda line, seed, audio: None,
    advance: Advance = lambda: None,
) -> Scores:
    """Let a voice speak every text with every seed, and measure each clip. DNSMOS is measured on the first seed only.

    `speak(text, seed)` returns float32 [T]. `keep` gets every clip, for the report. Seeds go by in the outer loop.
    """
    rows = []
    for seed in seeds:
        for line in held_out:
            audio = finite(speak(line.text, seed), "the voice")
            keep(line, seed, audio)
            rows.append(_score(line, seed, Clip(audio, sample_rate), bench, sound_quality=seed == seeds[0]))
            advance()
    return Scores(tuple(rows))


def judge_recordings(
    held_out: Sequence[HeldOut], bench: Bench, *, among_target: bool, advance: Advance = lambda: None
) -> Scores | None:
    """Measure the target's own recordings; None where there is none.

    `among_target`: the held-out recordings are themselves the target, so each is compared with all the others.
    MCD and pitch error have no meaning for them, since they are what these are measured against.
    """
    lines = [line for line in held_out if line.recording is not None]
    rows = []
    for line in lines:
        assert line.recording is not None
        rows.append(_score(line, None, line.recording, bench, sound_quality=True))
        advance()
    if among_target and bench.instruments.encoder and rows:
        rows = _compare_with_the_others(rows, lines, bench.instruments.encoder)
    return Scores(tuple(rows)) if rows else None


def _score(line: HeldOut, seed: int | None, clip: Clip, bench: Bench, *, sound_quality: bool) -> ClipScore:
    tools = bench.instruments
    heard = tools.recogniser.transcribe(*clip) if tools.recogniser else None
    likeness = None
    if tools.encoder and bench.target is not None:
        likeness = similarity(tools.encoder.embed(*clip), bench.target)
    recorded = bench.analyses.get(line.id) if seed is not None else None
    spoken = tools.world.analyse(*clip) if tools.world and recorded is not None else None
    return ClipScore(
        id=line.id,
        text=line.text,
        seed=seed,
        seconds=clip.seconds,
        heard=heard,
        characters=None if heard is None else character_errors(line.text, heard),
        words=None if heard is None else word_errors(line.text, heard),
        speaker_similarity=likeness,
        dnsmos=tools.dnsmos.score(*clip) if tools.dnsmos and sound_quality and len(clip.audio) else None,
        **compare_pitch_and_timbre(spoken, recorded),
    )


def _compare_with_the_others(
    rows: Sequence[ClipScore], lines: Sequence[HeldOut], encoder: SpeakerEncoder
) -> list[ClipScore]:
    if len(rows) < 2:
        return [replace(row, speaker_similarity=None) for row in rows]
    embeddings = [encoder.embed(*line.recording) for line in lines if line.recording is not None]
    return [replace(row, speaker_similarity=value) for row, value in zip(rows, leave_one_out(embeddings), strict=True)]
