"""Split a corpus into training, validation and held-out utterances: by text, speaker-safe, the same every time."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from voxgraft.corpus.manifest import TEST, Manifest, Utterance
from voxgraft.corpus.manifest import VALIDATION as VALIDATION_PART
from voxgraft.errors import CorpusError

# How many texts are validated on where nobody says, and the most of a small corpus: 8 of 48 texts, 1 of 9. Another number
# is obeyed as long as half of the texts are left to learn from.
VALIDATION = 8
_SMALL_SHARE, _MOST_BY_HAND = 1 / 6, 1 / 2


def is_speakable(text: str) -> bool:
    """Whether a text holds more than punctuation and spaces."""
    return any(unicodedata.category(c)[0] in "LMNS" for c in text)


@dataclass(frozen=True)
class Split:
    """No text is on two sides, but where the corpus itself says what is for which; every speaker who can be trained is in
    `train`."""

    train: Manifest
    validation: Manifest
    held_out: Manifest


def text_key(text: str) -> str:
    """What makes two transcripts the same text: letters, marks and digits alone, case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split()
    return " ".join(words) or folded.strip()


def split(
    manifest: Manifest,
    validation: int,
    held_out: Collection[str] = (),
    seed: int = 0,
    *,
    most: float | None = None,
) -> Split:
    """Hold out the utterances named, and their texts; draw `validation` texts of the rest, speakers in proportion.

    At most the share `most` of the texts is drawn (by default a sixth for VALIDATION, half for another number), but at least
    one. The draw orders texts by a hash of seed and text, so that adding a clip moves at most few of the others. CorpusError
    for a held-out id that isn't there, or where nothing would be left to train on. Utterances that say of which `part` they
    are stay there, and nothing is drawn where some are for validation.
    """
    _check_ids(manifest, held_out)
    kept_apart = {text_key(u.text) for u in manifest if u.id in set(held_out) or u.part == TEST}
    rest = [u for u in manifest if text_key(u.text) not in kept_apart]
    if not rest:
        raise CorpusError(
            "nothing is left to train on",
            expected="at least 1 utterance",
            got=f"{len(manifest)} utterances, all held out",
            remedy="Hold out fewer, or record more.",
        )
    given = [u for u in rest if u.part == VALIDATION_PART]
    if given and len(given) < len(rest) and validation:
        return Split(
            train=Manifest(tuple(u for u in rest if u.part != VALIDATION_PART)),
            validation=Manifest(tuple(given)),
            held_out=Manifest(tuple(u for u in manifest if text_key(u.text) in kept_apart)),
        )
    most = most or (_SMALL_SHARE if validation == VALIDATION else _MOST_BY_HAND)
    texts = len({text_key(u.text) for u in rest})
    chosen = _validation_texts(rest, min(validation, max(1, int(most * texts))), seed)
    return Split(
        train=Manifest(tuple(u for u in rest if text_key(u.text) not in chosen)),
        validation=Manifest(tuple(u for u in rest if text_key(u.text) in chosen)),
        held_out=Manifest(tuple(u for u in manifest if text_key(u.text) in kept_apart)),
    )


def _check_ids(manifest: Manifest, held_out: Collection[str]) -> None:
    unknown = sorted(set(held_out) - {u.id for u in manifest})
    if unknown:
        raise CorpusError(
            f"no such utterance: {', '.join(unknown[:5])}",
            field="held_out",
            remedy="`voxgraft corpus stats PROJECT --json` lists the ids.",
        )


def _validation_texts(utterances: list[Utterance], wanted: int, seed: int) -> set[str]:
    """Texts for validation: at most `wanted`, each speaker's share by its number of texts, and always one left to each."""
    speakers: dict[str | None, set[str]] = {}
    for utterance in utterances:
        speakers.setdefault(utterance.speaker, set()).add(text_key(utterance.text))
    total = sum(len(texts) for texts in speakers.values())
    # Speakers with many texts first, so that few-clip speakers give theirs up last.
    order = sorted(speakers, key=lambda s: (-len(speakers[s]), _draw(seed, str(s))))
    chosen: set[str] = set()
    for speaker in order:
        share = max(1, round(wanted * len(speakers[speaker]) / total)) if wanted else 0
        for text in sorted(speakers[speaker], key=lambda t: _draw(seed, t)):
            taken = len(speakers[speaker] & chosen)
            if len(chosen) >= wanted or taken >= share:
                break
            if text not in chosen and _all_keep_one(speakers.values(), chosen | {text}):
                chosen.add(text)
    return chosen


def _all_keep_one(texts_of_each: Collection[set[str]], chosen: set[str]) -> bool:
    return not any(texts <= chosen for texts in texts_of_each)


def _draw(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode("utf-8", "surrogatepass")).digest()
