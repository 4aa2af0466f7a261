"""Comparison: base, result and the target's own recordings on the same texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from voxgraft.errors import EvaluationError
from voxgraft.evaluation.bootstrap import Interval
from voxgraft.evaluation.instruments import METRIC_NAMES, Clip, Instruments, load_instruments
from voxgraft.evaluation.judge import HeldOut, Speak, judge, judge_recordings, prepare_bench
from voxgraft.evaluation.scores import METRICS, Scores, change
from voxgraft.progress import progress

T = TypeVar("T")
MOST_TARGET_CLIPS = 64


@dataclass(frozen=True)
class Candidate:
    """A voice under test: `speak(text, seed)` returns float32 [T] at `sample_rate`."""

    speak: Speak
    sample_rate: int
    name: str = ""


@dataclass(frozen=True)
class Comparison:
    """Scores of each voice by role (`base`, `result`, `recordings`), one clip of each text, and what to know."""

    scores: Mapping[str, Scores]
    clips: Mapping[str, Mapping[str, Clip]]
    held_out: tuple[HeldOut, ...]
    seeds: tuple[int, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def summary(self, role: str) -> dict[str, Interval | None] | None:
        """Every metric of one voice as (value, low, high); None for a role that was not measured."""
        return self.scores[role].summary() if role in self.scores else None

    def change(self) -> dict[str, Interval | None] | None:
        """Result less base, paired by text."""
        if not {"base", "result"} <= set(self.scores):
            return None
        return change(self.scores["base"], self.scores["result"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for --json and files."""
        return {
            "base": self.summary("base"),
            "result": self.summary("result"),
            "recordings": self.summary("recordings"),
            "change": self.change(),
            "texts": len(self.held_out),
            "seeds": len(self.seeds),
            "absent": dict(self.absent),
            "notes": list(self.notes),
        }


def compare(
    candidates: Mapping[str, Candidate],
    held_out: Sequence[HeldOut],
    *,
    target: Sequence[Clip] | None = None,
    seeds: int = 3,
    language: str = "en",
    recogniser: str = "auto",
    metrics: Collection[str] = METRIC_NAMES,
    instruments: Instruments | None = None,
) -> Comparison:
    """Measure every candidate (roles `base`, `result`) and the held-out recordings on the same texts.

    `target`: recordings of the wanted voice that are not held out, usually those trained on. Without them the
    held-out recordings are the target, and each of these is itself compared with all the others.
    """
    if not held_out:
        raise EvaluationError("no text to evaluate on", remedy="Hold out some texts, or give them with --texts.")
    tools = instruments or load_instruments(language=language, recogniser=recogniser, wanted=metrics)
    recordings = [line.recording for line in held_out if line.recording is not None]
    among_target = not target
    chosen = spread(target or recordings, MOST_TARGET_CLIPS)
    clips: dict[str, dict[str, Clip]] = {role: {} for role in candidates}
    scores: dict[str, Scores] = {}
    work = len(chosen) * bool(tools.encoder) + len(held_out) * seeds * len(candidates) + len(recordings)
    with progress("evaluating", work) as advance:
        bench = prepare_bench(tools, held_out, chosen, advance)
        for role, voice in candidates.items():

            def keep(
                line: HeldOut, seed: int, audio: np.ndarray, role: str = role, rate: int = voice.sample_rate
            ) -> None:
                clips[role].setdefault(line.id, Clip(audio, rate))

            scores[role] = judge(
                voice.speak, voice.sample_rate, held_out, bench, seeds=range(seeds), keep=keep, advance=advance
            )
        recorded = judge_recordings(held_out, bench, among_target=among_target, advance=advance)
    if recorded:
        scores["recordings"] = recorded
        clips["recordings"] = {line.id: line.recording for line in held_out if line.recording is not None}
    absent = _absent(tools, scores, bool(recordings), bool(chosen))
    notes = _notes(scores, seeds, among_target and bool(recordings), len(chosen))
    return Comparison(scores, clips, tuple(held_out), tuple(range(seeds)), absent, notes)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` items, evenly from first to last."""
    if len(items) <= most:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, most)]


def _absent(tools: Instruments, scores: Mapping[str, Scores], recorded: bool, targeted: bool) -> dict[str, str]:
    absent = dict(tools.absent)
    if not recorded:
        for name in ("mcd", "f0_rmse"):
            absent.setdefault(name, "needs recordings of the same texts")
    if not targeted:
        absent.setdefault("speaker_similarity", "needs recordings of the target voice")
    for metric in METRICS:
        if not any(score.parts(metric) for score in scores.values()):
            absent.setdefault(metric.name, "no clip could be measured")
    return absent


def _notes(scores: Mapping[str, Scores], seeds: int, among_target: bool, target_clips: int) -> tuple[str, ...]:
    notes = ["Intervals: 95 % bootstrap over texts."]
    if seeds > 1:
        notes.append(f"DNSMOS is measured on the first of the {seeds} syntheses of each text.")
    if target_clips:
        whose = (
            "the held-out recordings themselves; each of these is compared with all the others"
            if among_target
            else f"{target_clips} recording{'s' * (target_clips > 1)} of other texts"
        )
        notes.append(f"Similarity: the target is the mean of {whose}.")
    silent = {role: sum(row.speaker_similarity == 0 for row in score.rows) for role, score in scores.items()}
    notes += [f"{role}: {count} clips without speech (similarity 0)." for role, count in silent.items() if count]
    return tuple(notes)
