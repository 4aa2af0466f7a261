"""Whether recordings say their texts: each aligned with a recogniser, the doubtful named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxgraft.audio.read import read_audio
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.manifest import Utterance
from voxgraft.errors import VoxgraftError
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.inference.recogniser.transcript import Word

# How many deviations (by the median of distances) below the corpus's middle a margin is doubtful, and the least distance.
_OUTLYING, _LEAST_DISTANCE = 4.0, 0.15
_HEARD_SHOWN = 120


@dataclass(frozen=True)
class Spoken:
    """An utterance aligned: its words, `score` (mean logarithm a frame of its labels), what was `heard`, and `margin` (how
    much a frame the text is less likely than that: 0 is the same). `fault` says why where it can't be aligned."""

    utterance: Utterance
    words: tuple[Word, ...] = ()
    score: float = -np.inf
    margin: float = -np.inf
    unspelt: str = ""
    heard: str = ""
    fault: VoxgraftError | None = None


def align_utterances(utterances: Iterable[Utterance], recogniser: Recogniser) -> Iterator[Spoken]:
    """Each utterance aligned, in order; one that can't be is given with its fault."""
    for utterance in utterances:
        try:
            audio, rate = read_audio(Path(utterance.audio))
            alignment, words = recogniser.align(audio, rate, utterance.text)
        except VoxgraftError as fault:
            yield Spoken(utterance, fault=fault)
            continue
        unspelt = "".join(recogniser.labels.spell(utterance.text).unknown)
        heard = recogniser.labels.text(alignment.heard)
        yield Spoken(utterance, words, alignment.score, alignment.margin, unspelt, heard)


def worst_first(spoken: Iterable[Spoken]) -> list[Spoken]:
    """Those first whose texts fit their sound least."""
    return sorted(spoken, key=lambda s: (s.fault is None, s.margin))


def doubtful(spoken: Iterable[Spoken]) -> list[Finding]:
    """Findings for `corpus check`: texts that fit their recordings clearly worse than those of the corpus do."""
    known = list(spoken)
    margins = np.array([s.margin for s in known if s.fault is None])
    limit = -np.inf
    if len(margins):
        middle = float(np.median(margins))
        spread = 1.4826 * float(np.median(np.abs(margins - middle)))
        limit = middle - max(_OUTLYING * spread, _LEAST_DISTANCE)
    findings = []
    for s in worst_first(known):
        if s.fault is not None:
            detail = s.fault.problem + (f" (expected {s.fault.expected})" if s.fault.expected is not None else "")
            findings.append(Finding(s.utterance.id, "not aligned", detail, s.fault.remedy))
        elif s.margin < limit:
            heard = f"heard {_shortened(s.heard)!r}" if s.heard else "nothing was heard"
            detail = f"fits the sound worse than the others do (margin {s.margin:.2f}, usual {middle:.2f}); {heard}"
            findings.append(Finding(s.utterance.id, "doubtful text", detail, "Listen: the text may be another clip's."))
    return findings


def _shortened(text: str) -> str:
    return text if len(text) <= _HEARD_SHOWN else text[: _HEARD_SHOWN - 1] + "…"
