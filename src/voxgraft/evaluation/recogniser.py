"""Recognisers side by side: what each hears of the same recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voxgraft.audio.read import read_audio
from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import EvaluationError
from voxgraft.evaluation.hearing import Hearing, letters_lacking, transcribed
from voxgraft.evaluation.scores import change
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.progress import progress

RESULT, BASE = "result", "base"


@dataclass(frozen=True)
class Transcriptions:
    """What `result`, and `base` if there is one, heard of the recordings; `notes` are what to know about the scores."""

    hearings: Mapping[str, Hearing]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for --json."""
        scores = {role: hearing.scores for role, hearing in self.hearings.items()}
        both = set(scores) == {RESULT, BASE}
        return {
            BASE: scores[BASE].summary() if BASE in scores else None,
            RESULT: scores[RESULT].summary(),
            "change": change(scores[BASE], scores[RESULT]) if both else None,
            "utterances": len(self.hearings[RESULT].rows),
            "worst": self.hearings[RESULT].to_dict()["worst"],
            "notes": list(self.notes),
        }


def hear_all(recognisers: Mapping[str, Recogniser], recordings: Manifest) -> Transcriptions:
    """Have every recogniser (`result`, `base`) transcribe all recordings, as it decodes by itself.

    Raises EvaluationError where there is nothing to hear, AudioError naming a recording that can't be read.
    """
    if not len(recordings):
        raise EvaluationError("no recordings to evaluate on", remedy="Name others with --corpus.")
    rows: dict[str, list[Any]] = {role: [] for role in recognisers}
    with progress("evaluating", len(recordings) * len(recognisers)) as advance:
        for utterance in recordings:
            audio, rate = read_audio(utterance.audio)
            for role, recogniser in recognisers.items():
                heard = recogniser.transcribe(audio, rate).text
                rows[role].append(transcribed(utterance.id, utterance.audio, utterance.text, heard, utterance.duration))
                advance(1)
    hearings = {role: Hearing(tuple(found), 0.0, 0.0) for role, found in rows.items()}
    return Transcriptions(
        hearings, tuple(_lacking(role, recogniser, recordings) for role, recogniser in recognisers.items())
    )


def _lacking(role: str, recogniser: Recogniser, recordings: Manifest) -> str:
    labels = recogniser.labels
    known = "".join(spelling for spelling in labels.spellings if spelling)
    lacking = "" if labels.bytes else letters_lacking([u.text for u in recordings], known)
    if not lacking:
        return f"The {role} can write every letter of the texts."
    return f"The {role} can't write {lacking[:60]}, which come in the texts; each of them counts as an error."
