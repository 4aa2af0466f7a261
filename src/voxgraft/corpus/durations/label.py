"""Label: a phone, a letter or a word, and when in the recording it is said; a tier is a row of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxgraft.errors import CorpusError, shown

# What aligners and festival write where nothing is said.
SILENCES = frozenset(
    ("", "#", "_", "-", "sil", "silence", "<sil>", "sp", "spn", "pau", "h#", "ssil", "brth", "<eps>", "<p:>")
)
# How far labels may end behind their recording: aligners round up to whole frames of their own.
SLACK_SECONDS = 0.03


@dataclass(frozen=True)
class Label:
    """`text` is said from `start` to `end`, in seconds of the recording."""

    text: str
    start: float
    end: float

    @property
    def silent(self) -> bool:
        """Whether it says that nothing is said."""
        return self.text.strip().lower() in SILENCES


@dataclass(frozen=True)
class Tier:
    """A row of labels by the name that it has in its file; `file` is None where a recogniser made it."""

    name: str
    labels: tuple[Label, ...]
    file: str | None = None

    @property
    def of_words(self) -> bool:
        """Whether its labels are words, by its name."""
        return "word" in self.name.lower() or self.name.upper().startswith("ORT")

    def field(self, index: int) -> str:
        """How a label of it is named in errors."""
        return f"{self.name}, label {index + 1}"


def require_order(tier: Tier, seconds: float) -> None:
    """Raise CorpusError where labels overlap, are of no length or go beyond a recording of `seconds`."""
    before = 0.0
    for index, label in enumerate(tier.labels):
        if not before - 1e-6 <= label.start <= label.end:
            raise CorpusError(
                "begins before the label before it ends, or ends before it begins",
                file=tier.file,
                field=tier.field(index),
                expected=f"times from {before:.3f} s on",
                got=f"{label.start:.3f} to {label.end:.3f} s",
                remedy="Correct the times, or align the recording again.",
            )
        before = label.end
    # A tier may end in silence that was added behind the recording.
    spoken = [(i, label) for i, label in enumerate(tier.labels) if not label.silent]
    if spoken and spoken[-1][1].end > seconds + SLACK_SECONDS:
        index, label = spoken[-1]
        raise CorpusError(
            f"label {shown(label.text, 20)} ends after the recording does",
            file=tier.file,
            field=tier.field(index),
            expected=f"at most {seconds:.3f} s",
            got=f"{label.end:.3f} s",
            remedy="Check that the labels belong to this recording, and that their times are in seconds.",
        )


def preferred(tiers: Sequence[Tier]) -> list[Tier]:
    """Tiers with labels, those of phones first, then letters, words last."""
    ranks = ("phone", "phoneme", "segment", "mau", "character", "letter", "grapheme")

    def rank(tier: Tier) -> int:
        name = tier.name.lower()
        if "annotation" in name or "score" in name:
            return len(ranks) + 2
        if tier.of_words:
            return len(ranks) + 1
        return next((i for i, word in enumerate(ranks) if word in name), len(ranks))

    return sorted((tier for tier in tiers if any(not label.silent for label in tier.labels)), key=rank)
