"""An alphabet from transcripts: every character of theirs, counted, the rare ones with the clips that have them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.transcript_spec import Transcripts
from voxgraft.errors import CorpusError
from voxgraft.files import write_atomically
from voxgraft.text.alphabet import alphabet_text
from voxgraft.text.transcript import plain

# What comes in fewer clips is rather a slip of the pen than a letter.
RARE_CLIPS = 3


@dataclass(frozen=True)
class DerivedAlphabet:
    """`labels` in their order; `counts` of each; `rare`: those of few clips, with the names of the clips."""

    labels: tuple[str, ...]
    counts: dict[str, int]
    rare: dict[str, tuple[str, ...]]

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"labels": list(self.labels), "counts": self.counts, "rare": {c: list(n) for c, n in self.rare.items()}}


def derive_alphabet(manifest: Manifest, transcripts: Transcripts = "plain") -> DerivedAlphabet:
    """The alphabet that writes every transcript: NFC, the same for the same texts in any order.

    `plain` texts are small letters, digits and apostrophes; `as_is` are taken with all their signs.
    """
    texts = {u.id: _text(u.text, transcripts) for u in manifest}
    counts: Counter[str] = Counter()
    clips: dict[str, list[str]] = {}
    for name, text in texts.items():
        counts.update(text)
        for character in set(text):
            clips.setdefault(character, []).append(name)
    labels = (" ", *sorted(set(counts) - {" "}))
    rare = {c: tuple(sorted(clips[c])) for c in labels if 0 < len(clips.get(c, ())) < RARE_CLIPS}
    return DerivedAlphabet(labels, {c: counts[c] for c in labels}, rare)


def require_kind(text: str) -> Transcripts:
    """`plain` or `as_is`. Raises CorpusError for anything else."""
    if text == "plain" or text == "as_is":
        return text
    raise CorpusError(
        "no such kind of transcript", field="text", expected="plain or as_is", got=text, remedy="Take one of the two."
    )


def write_alphabet(derived: DerivedAlphabet, path: Path) -> None:
    """Write an alphabet file, a label a line; CorpusError where there is a file already, or nothing to write."""
    if path.exists():
        raise CorpusError("is there already", file=path, remedy="Choose another name, or delete it yourself.")
    if not any(derived.counts.values()):
        raise CorpusError(
            "the transcripts hold no letters", file=path, remedy="Look at them with `voxgraft corpus check`."
        )
    write_atomically(path, alphabet_text(derived.labels))


def _text(text: str, transcripts: Transcripts) -> str:
    return plain(text) if transcripts == "plain" else " ".join(unicodedata.normalize("NFC", text).split())
