"""Examples: utterances as the model takes them, read from the cache when they are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.prepare import Prepared
from voxgraft.errors import TrainingError
from voxgraft.progress import track
from voxgraft.project.texts import MOST_UNKNOWN, is_sound
from voxgraft.text.symbols import Encoding


@dataclass(frozen=True)
class Example:
    """One utterance: `ids` [N] of all its sentences; audio and spectrogram stay on disk. `speaker` is a row of emb_g."""

    ids: np.ndarray
    prepared: Prepared
    speaker: int

    @property
    def frames(self) -> int:
        """Spectrogram frames T."""
        return self.prepared.frames


@dataclass(frozen=True)
class Examples:
    """The trainable examples, what was left out and why, and symbols that the table lacks."""

    kept: tuple[Example, ...]
    left_out: dict[str, str]
    unknown: Counter[str]


def make_examples(
    prepared: Sequence[Prepared],
    encode: Callable[[str], list[Encoding]],
    sounds: Collection[int],
    speakers: Sequence[str],
    segment_frames: int,
    limits: tuple[float, float],
) -> Examples:
    """Encode the texts. A clip is left out where it is outside `limits` (seconds), empty, has more symbols than frames, or
    mostly letters and sounds that the model does not know; `sounds` are the ids of those that it knows."""
    kept, left_out, unknown = [], {}, Counter[str]()
    for item in track(prepared, "Encoding texts"):
        encodings = encode(item.utterance.text)
        ids = np.array([i for encoding in encodings for i in encoding.ids], dtype=np.int64)
        lacking = sum((encoding.unknown for encoding in encodings), Counter[str]())
        unknown.update(lacking)
        reason = _unfit(item, len(ids), segment_frames, limits) or _unread(lacking, ids, sounds)
        if reason:
            left_out[item.utterance.id] = reason
        else:
            kept.append(Example(ids, item, _speaker_row(item, speakers)))
    return Examples(tuple(kept), left_out, unknown)


def _unfit(item: Prepared, symbols: int, segment_frames: int, limits: tuple[float, float]) -> str | None:
    shortest, longest = limits
    if not shortest <= item.utterance.duration <= longest:
        return f"{item.utterance.duration:.1f} s long, outside {shortest:g} to {longest:g} s"
    if symbols == 0:
        return "no text"
    if item.frames < segment_frames:
        return f"{item.frames} frames of sound, fewer than a training segment of {segment_frames}"
    if symbols > item.frames:
        return f"{symbols} symbols for {item.frames} frames of sound: the text can't belong to it"
    return None


def _unread(lacking: Counter[str], ids: np.ndarray, sounds: Collection[int]) -> str | None:
    """Why a text teaches nothing: most of it is unknown to the model."""
    strange = Counter({symbol: count for symbol, count in lacking.items() if is_sound(symbol)})
    known = sum(int(number) in sounds for number in ids) if strange else 0
    share = strange.total() / (strange.total() + known) if strange else 0.0
    if share <= MOST_UNKNOWN:
        return None
    shown = ", ".join(repr(symbol) for symbol, _ in strange.most_common(4))
    return f"{100 * share:.0f} % of its letters and sounds are unknown to the voice, such as {shown}"


def _speaker_row(item: Prepared, speakers: Sequence[str]) -> int:
    if len(speakers) < 2:
        return 0
    name = item.utterance.speaker
    if name not in speakers:
        raise TrainingError(
            "the model has no such speaker",
            file=item.utterance.audio,
            field="speaker",
            expected=" or ".join(speakers),
            got=name,
            remedy="Name the speaker in the corpus, or add it to graft.speakers.",
        )
    return list(speakers).index(name)


def require_examples(examples: Examples, manifest: Manifest) -> None:
    """TrainingError where nothing is left to train on, with the commonest reason."""
    if examples.kept:
        return
    reasons = Counter(examples.left_out.values()).most_common(1)
    raise TrainingError(
        f"none of the {len(manifest)} utterances can be trained on",
        got=reasons[0][0] if reasons else "an empty corpus",
        remedy="Run `voxgraft corpus check PROJECT` to see what is wrong with each.",
    )
