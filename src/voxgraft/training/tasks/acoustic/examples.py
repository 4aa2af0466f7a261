"""Examples of an acoustic model: utterances as the network takes them, read from the cache when they are needed.

Letters in shapes: N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.prepare.frames import PreparedFrames
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.errors import CorpusError
from voxgraft.progress import track
from voxgraft.project.texts import is_sound
from voxgraft.text.symbols import Encoding

# Durations [N] of a clip's ids [N], in frames, from a file; CorpusError where it has none that fit. None: there is no file.
GivenDurations = Callable[[PreparedFrames, np.ndarray], np.ndarray] | None
_SHOWN = 5


@dataclass(frozen=True)
class Features:
    """mel [M, T]; pitch and energy [T] in deviations from the speaker's means, pitch without gaps."""

    mel: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray


@dataclass(frozen=True)
class Example:
    """One utterance: `ids` [N] of all its sentences, rows of speaker and language, what its speaker's pitch and energy are
    measured against, and durations [N] in frames where a file gives them."""

    ids: np.ndarray
    prepared: PreparedFrames
    statistics: VarianceStatistics
    speaker: int = 0
    language: int = 0
    durations: np.ndarray | None = None

    @property
    def frames(self) -> int:
        """Frames T of its mel."""
        return self.prepared.frames

    def features(self) -> Features:
        """Read from disk."""
        return Features(
            np.asarray(self.prepared.mel, np.float32),
            self.statistics.normalised_pitch(self.prepared),
            self.statistics.normalised_energy(self.prepared),
        )


@dataclass(frozen=True)
class Names:
    """Rows of the tables of speakers and languages by their names; empty where there is one for all. `language` is that of
    recordings that name none."""

    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    language: str | None = None

    @property
    def several_speakers(self) -> bool:
        """Whether it matters who speaks."""
        return len(self.speakers) > 1

    @property
    def several_languages(self) -> bool:
        """Whether it matters in what language."""
        return len(self.languages) > 1


@dataclass(frozen=True)
class Examples:
    """What can be trained on, what is left out because of its length, and what is wrong with others."""

    kept: tuple[Example, ...]
    left_out: Mapping[str, str]
    findings: tuple[Finding, ...]


def make_examples(
    prepared: Sequence[PreparedFrames],
    encode: Callable[[str], list[Encoding]],
    statistics: VarianceStatistics,
    names: Names,
    *,
    hop: int,
    limits: tuple[float, float],
    durations: GivenDurations = None,
) -> Examples:
    """Encode the texts and look at everything once: what is wrong is found before the first step, and named.

    `hop` is in samples, `limits` in seconds; `durations` finds those of a clip's symbols where a file has them.
    """
    kept, left_out, findings = [], {}, []
    for item in track(prepared, "Encoding texts"):
        clip = item.utterance
        if not limits[0] <= clip.duration <= limits[1]:
            left_out[clip.id] = f"{clip.duration:.1f} s long, outside {limits[0]:g} to {limits[1]:g} s"
            continue
        encodings = encode(clip.text)
        ids = np.array([i for encoding in encodings for i in encoding.ids], dtype=np.int64)
        found = [
            *_of_the_text(item, encodings, len(ids)),
            *_of_the_names(item, names),
            *_of_the_sound(item, hop),
        ]
        given = None
        if durations is not None and not found:
            given, found = _given(item, ids, durations)
        findings += found
        if not found:
            kept.append(Example(ids, item, statistics, *_rows(item, names), given))
    return Examples(tuple(kept), left_out, tuple(findings))


def _rows(item: PreparedFrames, names: Names) -> tuple[int, int]:
    clip = item.utterance
    speaker = names.speakers.index(clip.speaker or "") if names.several_speakers else 0
    language = names.languages.index(clip.language or names.language or "") if names.several_languages else 0
    return speaker, language


def _of_the_text(item: PreparedFrames, encodings: Sequence[Encoding], symbols: int) -> list[Finding]:
    unknown = [symbol for encoding in encodings for symbol in encoding.unknown if is_sound(symbol)]
    if unknown:
        shown = ", ".join(map(repr, dict.fromkeys(unknown[:_SHOWN])))
        remedy = "Write the text in symbols that the model knows, or name a table that has these with --symbols FILE."
        return [_finding(item, "unknown symbols", f"text: the model does not know {shown}", remedy)]
    if not symbols:
        return [_finding(item, "empty text", "text: nothing in it is spoken", "Write down what is said.")]
    if symbols > item.frames:
        detail = f"text: {symbols} symbols for {item.frames} frames of sound"
        return [_finding(item, "too short for its text", detail, "Check that text and recording belong together.")]
    return []


def _of_the_names(item: PreparedFrames, names: Names) -> list[Finding]:
    clip, found = item.utterance, []
    if names.several_speakers and clip.speaker not in names.speakers:
        detail = f"speaker: {clip.speaker!r} is none of the model's, {', '.join(names.speakers[:_SHOWN])}"
        found.append(
            _finding(item, "unknown speaker", detail, "Name the speaker in the corpus, or add it to graft.speakers.")
        )
    if names.several_languages and (clip.language or names.language) not in names.languages:
        detail = f"language: {clip.language!r} is none of the model's, {', '.join(names.languages[:_SHOWN])}"
        found.append(
            _finding(item, "unknown language", detail, "Name the language in the corpus, or add it to graft.languages.")
        )
    return found


def _of_the_sound(item: PreparedFrames, hop: int) -> list[Finding]:
    again = "Remove the project's cache folder so that it is prepared again; if it stays, leave the recording out."
    arrays = {"mel": item.mel, "pitch": item.pitch, "energy": item.energy}
    for name, array in arrays.items():
        if array.shape[-1] != item.frames:
            detail = f"{name}: {array.shape[-1]} frames, {item.frames} expected"
            return [_finding(item, "wrong length", detail, again)]
        if not np.isfinite(array).all():
            bad = int((~np.isfinite(array)).sum())
            return [_finding(item, "not a number", f"{name}: {bad} of {array.size} values are NaN or infinite", again)]
    if item.frames * hop != item.samples:
        detail = f"mel: {item.frames} frames of {hop} samples, and the sound has {item.samples} samples"
        return [_finding(item, "wrong length", detail, again)]
    return []


def _given(
    item: PreparedFrames, ids: np.ndarray, durations: Callable[[PreparedFrames, np.ndarray], np.ndarray]
) -> tuple[np.ndarray | None, list[Finding]]:
    """The durations of a clip, or what is wrong with them."""
    remedy = "Align the recordings again, with the spectrogram's hop, or leave acoustic.durations out."
    try:
        given = durations(item, ids)
    except CorpusError as fault:
        return None, [_finding(item, "wrong durations", fault.summary, fault.remedy)]
    if len(given) != len(ids):
        return None, [_finding(item, "wrong durations", f"{len(given)} durations for {len(ids)} symbols", remedy)]
    if (given < 0).any() or int(given.sum()) != item.frames:
        detail = f"durations: they sum to {int(given.sum())} frames, and the mel has {item.frames}"
        return None, [_finding(item, "wrong durations", detail, remedy)]
    return given, []


def _finding(item: PreparedFrames, kind: str, detail: str, remedy: str) -> Finding:
    clip = item.utterance
    return Finding(clip.id, kind, f"{clip.audio}: {detail}", remedy, clip.line, clip.table)
