"""Finding: one thing that is wrong with one clip, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from voxgraft.corpus.manifest import Utterance
from voxgraft.errors import AudioError

# What `clip` is where a finding is about the whole corpus.
WHOLE = "*"
# What keeps a clip out of training; everything else is advice.
BLOCKING = frozenset(
    {
        "malformed row",
        "unsafe path",
        "missing audio",
        "unreadable audio",
        "duplicate id",
        "empty text",
        "outside the alphabet",
        "too short for its text",
        "silence",
        "too short",
        "too long",
        "unknown symbols",
        "unknown speaker",
        "unknown language",
        "not a number",
        "wrong length",
        "wrong durations",
    }
)


@dataclass(frozen=True)
class Finding:
    """`clip` is an utterance's id, `*` for the whole corpus; `line` counts from 1 in the metadata it came from.

    `file` names that metadata where there was a file of it.
    """

    clip: str
    kind: str
    detail: str
    remedy: str
    line: int | None = None
    file: str | None = None

    @property
    def blocking(self) -> bool:
        """Whether the clip can't be trained on as it is."""
        return self.kind in BLOCKING


def located(findings: Iterable[Finding], utterances: Iterable[Utterance]) -> list[Finding]:
    """The same findings; those of an utterance that name no line get the table and the line that it was read from."""
    known = {u.id: u for u in utterances}
    return [
        replace(f, line=known[f.clip].line, file=known[f.clip].table) if f.line is None and f.clip in known else f
        for f in findings
    ]


def unreadable(utterance: Utterance, fault: AudioError) -> Finding:
    """What is wrong with a recording that could not be read."""
    facts = [
        f"{word} {value}" for word, value in (("expected", fault.expected), ("got", fault.got)) if value is not None
    ]
    detail = f"{fault.problem} ({', '.join(facts)})" if facts else fault.problem
    return Finding(utterance.id, "unreadable audio", detail, fault.remedy)
