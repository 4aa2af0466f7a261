"""Hearing: what a recogniser heard in some recordings, held against what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voxgraft.evaluation.bootstrap import Interval, ratio_interval
from voxgraft.evaluation.metrics.transcript import ErrorCount, character_errors, pooled, word_errors
from voxgraft.evaluation.scores import ClipScore, Scores

MOST_WORST = 20


@dataclass(frozen=True)
class Transcribed:
    """One utterance: what was said and what was heard, with the errors."""

    id: str
    audio: str
    said: str
    heard: str
    characters: ErrorCount
    words: ErrorCount
    seconds: float = 0.0

    @property
    def cer(self) -> float:
        """Character error rate of this utterance alone; of one without a letter, the letters that were heard."""
        return self.characters.edits / max(1, self.characters.length)


@dataclass(frozen=True)
class Hearing:
    """All utterances. `loss` is CTC's, in nats a label; `blank` the share of frames that are nothing but blank."""

    rows: tuple[Transcribed, ...]
    loss: float
    blank: float

    @property
    def cer(self) -> float:
        """Character error rate, pooled, uncapped."""
        return pooled([row.characters for row in self.rows])

    @property
    def wer(self) -> float:
        """Word error rate, pooled, uncapped."""
        return pooled([row.words for row in self.rows])

    @property
    def silent(self) -> float:
        """Share of the utterances in which nothing was heard."""
        return sum(not row.heard for row in self.rows) / max(1, len(self.rows))

    @property
    def worst(self) -> tuple[Transcribed, ...]:
        """All utterances, those with the most errors for their length first."""
        return tuple(sorted(self.rows, key=lambda row: (-row.cer, row.id)))

    @property
    def scores(self) -> Scores:
        """The same as scores of clips."""
        return Scores(
            tuple(
                ClipScore(row.id, row.said, None, row.seconds, row.heard, row.characters, row.words)
                for row in self.rows
            )
        )

    def interval(self, measure: str) -> Interval | None:
        """`cer` or `wer` with its 95 % interval: (value, low, high). None where nothing was said."""
        counts = [(row.id, row.characters if measure == "cer" else row.words) for row in self.rows]
        return ratio_interval([(name, count.edits, count.length) for name, count in counts]) if counts else None

    def to_dict(self, worst: int = MOST_WORST) -> dict[str, Any]:
        """Plain data: measures, and the worst utterances."""
        return {
            "cer": self.interval("cer"),
            "wer": self.interval("wer"),
            "utterances": len(self.rows),
            "worst": [{"id": r.id, "audio": r.audio, "said": r.said, "heard": r.heard} for r in self.worst[:worst]],
        }


def transcribed(name: str, audio: str, said: str, heard: str, seconds: float = 0.0) -> Transcribed:
    """An utterance with its errors counted."""
    return Transcribed(name, audio, said, heard, character_errors(said, heard), word_errors(said, heard), seconds)


def letters_lacking(texts: Sequence[str], known: str) -> str:
    """Letters and digits of these texts that are not among the known ones, case aside, each once, in order."""
    from voxgraft.evaluation.metrics.transcript import normalise_transcript

    written = set(normalise_transcript(known))
    found = {letter for text in texts for letter in normalise_transcript(text) if letter not in written}
    return "".join(sorted(found - {" "}))
