"""Preflight: whether a recogniser can learn from these recordings, told before the first step."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from voxgraft.corpus.checks.finding import WHOLE, Finding, located
from voxgraft.corpus.checks.leakage import leaks
from voxgraft.corpus.checks.plausible import text_findings
from voxgraft.corpus.checks.text_rate import LONGEST_RATIO, SHORTEST_RATIO, expected_seconds, letter_seconds
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import is_speakable
from voxgraft.corpus.transcript_spec import TranscriptSpec
from voxgraft.inference.recogniser.align import needed_frames

MOST_SHOWN = 20
_CLIPS_SHOWN = 3
# A letter that comes less often is hardly learnt.
_FEW = 5


def preflight(
    train: Manifest,
    transcript_spec: TranscriptSpec,
    *,
    dev: Manifest | None = None,
    test: Manifest | None = None,
    pace: bool = True,
) -> list[Finding]:
    """What keeps a recogniser from learning from `train`, or makes its scores on `dev` and `test` look better than it is.

    `pace`: judge by the length of the recordings whether their texts fit; `check` does it better, by the speech in them.
    """
    findings = clip_findings(train, transcript_spec)
    findings += _alphabet_findings(train, transcript_spec)
    for name, part in (("dev", dev), ("test", test)):
        findings += _told_of_part(name, part, transcript_spec) if part is not None else []
    findings += _forms(train, transcript_spec)
    findings += _rates(train, transcript_spec)
    findings += [*_paces(train), *text_findings([u.text for u in train])] if pace else []
    return located(findings + leaks(train, dev, test), train)


def clip_findings(train: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    """What keeps single utterances out of training."""
    findings = []
    for u in train:
        spelt = transcript_spec.spell(u.text)
        frames, needed = transcript_spec.frames(u.duration), needed_frames(spelt.labels)
        if not is_speakable(u.text) or not (spelt.labels or spelt.unknown):
            findings.append(
                Finding(u.id, "empty text", "there is nothing to write", "Write what is said or remove the row.")
            )
        elif spelt.unknown:
            findings.append(
                Finding(
                    u.id, "outside the alphabet", f"no label writes {_counted(spelt.unknown)}", _remedy(spelt.unknown)
                )
            )
        elif frames is not None and frames < needed:
            detail = f"{u.duration:.2f} s give {frames} frames of output, its {len(spelt.labels)} labels need {needed}"
            remedy = "Listen: the text belongs to another clip, or the recording was cut off."
            findings.append(Finding(u.id, "too short for its text", detail, remedy))
    return findings


def unheard(part: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    """Recordings that give no output at all, so that they can't even be tested on."""
    remedy = "Record it again or remove the row."
    return [
        Finding(u.id, "too short", f"{u.duration:.3f} s give no frame of output", remedy)
        for u in part
        if transcript_spec.frames(u.duration) == 0
    ]


def _alphabet_findings(train: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    """The same by character: what the alphabet lacks, and what it has for nothing."""
    spelt = [(u, transcript_spec.spell(u.text)) for u in train]
    findings = []
    strange = [(u, s.unknown) for u, s in spelt if s.unknown]
    if strange:
        findings.append(
            Finding(WHOLE, "missing characters", _characters(strange), _remedy(_sum(c for _, c in strange)))
        )
    if transcript_spec.labels.bytes or transcript_spec.has_pieces or not train.utterances:
        return findings
    used = Counter(label for _, s in spelt for label in s.labels)
    writing = {number: text for number, text in enumerate(transcript_spec.labels.spellings) if text}
    unused = [text for number, text in writing.items() if not used[number]]
    if unused:
        detail = f"{len(unused)} labels never come: {_listed([shown(text) for text in unused], MOST_SHOWN)}"
        findings.append(
            Finding(
                WHOLE, "unused labels", detail, "Record texts that have them, or take them out: nothing teaches them."
            )
        )
    rare = [f"{shown(text)} ×{used[number]}" for number, text in writing.items() if 0 < used[number] < _FEW]
    if rare:
        detail = f"{len(rare)} labels come fewer than {_FEW} times: {_listed(rare, MOST_SHOWN)}"
        findings.append(Finding(WHOLE, "rare labels", detail, "Check whether they are typing mistakes."))
    return findings


def _told_of_part(name: str, part: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    """What of a part that is not trained on can never be written."""
    strange = [(u, unknown) for u in part if (unknown := transcript_spec.spell(u.text).unknown)]
    if not strange:
        return []
    return [
        Finding(
            WHOLE,
            "missing characters",
            f"{name}: {_characters(strange)}",
            "Nothing is needed, but these count as errors whatever the recogniser learns.",
        )
    ]


def _forms(train: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    """Letters that are spelt in one code point here and in two there."""
    decomposed = [u for u in train if unicodedata.normalize("NFC", u.text) != u.text]
    if not decomposed:
        return []
    as_written = _sum(Counter(c for c in u.text.lower() if unicodedata.combining(c)) for u in decomposed)
    mended = sum(count for mark, count in as_written.items() if mark not in transcript_spec.letters)
    composed = len({u.id for u in train if unicodedata.normalize("NFD", u.text) != u.text} - {u.id for u in decomposed})
    others = f", {composed} composed (NFC)" if composed else ""
    detail = (
        f"{len(decomposed)} of {len(train)} transcripts are decomposed (NFD), such as {decomposed[0].id}{others}; "
        f"read as NFC, {mended} fewer marks are outside the alphabet"
    )
    remedy = (
        "Nothing is needed: training reads every transcript as NFC; other tools may count the two spellings as errors."
    )
    return [Finding(WHOLE, "normal forms", detail, remedy)]


def _rates(train: Manifest, transcript_spec: TranscriptSpec) -> list[Finding]:
    wanted = transcript_spec.sample_rate
    others = Counter(u.sample_rate for u in train if wanted is not None and u.sample_rate != wanted)
    if wanted is None or not others:
        return []
    each = ", ".join(f"{count} at {rate} Hz" for rate, count in others.most_common())
    lower = [rate for rate in others if rate < wanted]
    dull = f"; those at {min(lower)} Hz lack what is above {min(lower) // 2} Hz" if lower else ""
    remedy = (
        f"Train on what you will transcribe: resample[rate={min(lower)}] as augmentation makes the others alike."
        if lower
        else "Nothing is needed: they are resampled."
    )
    return [Finding(WHOLE, "sample rates", f"the recogniser hears {wanted} Hz: {each}{dull}", remedy)]


def _paces(train: Manifest) -> list[Finding]:
    """Texts that can't have been said in the time, or in less than half of it."""
    utterances = [u for u in train if u.duration > 0]
    letter = letter_seconds([u.text for u in utterances], [u.duration for u in utterances])
    return [] if letter is None else [f for u in utterances if (f := _pace(u, letter)) is not None]


def _pace(u: Utterance, letter: float) -> Finding | None:
    expected = expected_seconds(u.text, letter)
    detail = f"{u.duration:.1f} s long, {expected:.1f} s expected at this corpus's pace"
    if u.duration < SHORTEST_RATIO * expected:
        remedy = "Listen: the text may belong to another clip, or the recording was cut off."
        return Finding(u.id, "text too long", detail, remedy)
    if u.duration > LONGEST_RATIO * expected:
        remedy = "Listen: something is said that isn't in the text, or there is much silence."
        return Finding(u.id, "text too short", detail, remedy)
    return None


def _characters(strange: Sequence[tuple[Utterance, Counter[str]]]) -> str:
    """Each character with its count and the clips that have it."""
    clips: dict[str, list[str]] = {}
    for u, unknown in strange:
        for character in unknown:
            clips.setdefault(character, []).append(u.named)
    totals = _sum(unknown for _, unknown in strange)
    each = [f"{shown(c)} ×{n} in {_listed(clips[c], _CLIPS_SHOWN)}" for c, n in totals.most_common()]
    return f"{len(totals)} characters that no label writes, in {len(strange)} clips: {_listed(each, MOST_SHOWN, '; ')}"


def _remedy(unknown: Counter[str]) -> str:
    if " " in unknown:
        return "Add a line of one space to the alphabet (editors often cut it off): without it there are no words."
    if all(c.isdigit() for c in unknown):
        return "Write numbers as the words that are said."
    return "Correct the transcripts, or give an alphabet with these characters (`voxgraft corpus alphabet` makes one)."


def shown(symbol: str) -> str:
    """A symbol with its code points."""
    code = " ".join(f"U+{ord(c):04X}" for c in symbol)
    if symbol.isprintable() and symbol.strip():
        return f"{symbol} ({code})"
    names = " ".join(unicodedata.name(c, "control").lower() for c in symbol)
    return f"{names} ({code})"


def _counted(unknown: Counter[str]) -> str:
    return _listed([f"{shown(character)} ×{count}" for character, count in unknown.most_common()], MOST_SHOWN)


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _listed(words: Sequence[str], most: int, between: str = ", ") -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + more
