"""Check a corpus: what is wrong with which clip, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from voxgraft.corpus.checks.finding import WHOLE, Finding, located, unreadable
from voxgraft.corpus.checks.measure import Measures, measure
from voxgraft.corpus.checks.plausible import length_findings, text_findings
from voxgraft.corpus.checks.text_rate import (
    LONGEST_RATIO,
    SHORTEST_RATIO,
    expected_seconds,
    letter_seconds,
    longest_seconds,
)
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.prepare.parallel import map_in_parallel
from voxgraft.corpus.split import is_speakable, text_key
from voxgraft.errors import AudioError, TextError

CountUnknown = Callable[[str], Counter[str]]

SILENCE_LEVEL = -60.0
QUIET_LEVEL = -40.0
NOISY_SNR = 20.0
OFFSET = 0.02
EDGE_SECONDS = 1.0
PAUSE_SECONDS = 1.5
CLIPPED_SHARE = 2e-4
LITTLE_SECONDS = 60.0


@dataclass(frozen=True)
class Report:
    """A checked corpus: measures by utterance id (None where it can't be read), and the findings."""

    manifest: Manifest
    measures: dict[str, Measures | None]
    findings: tuple[Finding, ...]

    @property
    def blocked(self) -> frozenset[str]:
        """Ids of the clips that can't be trained on."""
        return frozenset(f.clip for f in self.findings if f.blocking)

    @property
    def usable(self) -> Manifest:
        """The clips that can be trained on."""
        blocked = self.blocked
        return Manifest(tuple(u for u in self.manifest if u.id not in blocked))

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "clips": len(self.manifest),
            "seconds": round(self.manifest.seconds, 2),
            "usable": len(self.usable),
            "findings": [asdict(f) | {"blocking": f.blocking} for f in self.findings],
        }


def check(
    manifest: Manifest,
    *,
    count_unknown: CountUnknown | None = None,
    sample_rate: int | None = None,
    shortest: float = 0.5,
    longest: float = 15.0,
) -> list[Finding]:
    """All findings of a corpus; see `examine`."""
    return list(
        examine(
            manifest, count_unknown=count_unknown, sample_rate=sample_rate, shortest=shortest, longest=longest
        ).findings
    )


def examine(
    manifest: Manifest,
    *,
    earlier: Iterable[Finding] = (),
    count_unknown: CountUnknown | None = None,
    sample_rate: int | None = None,
    shortest: float = 0.5,
    longest: float = 15.0,
) -> Report:
    """Read every recording and check it.

    `earlier` are findings of the import. `count_unknown` gives the symbols of a text that the base has never seen, with
    counts. `sample_rate` is the model's, in Hz. `shortest` and `longest` are in seconds.
    """
    results = map_in_parallel(_measure, manifest, "Checking recordings", len(manifest))
    measures: dict[str, Measures | None] = {}
    findings = list(earlier)
    for utterance, result in zip(manifest, results, strict=True):
        measures.setdefault(utterance.id, None if isinstance(result, Finding) else result)
        if isinstance(result, Finding):
            findings.append(result)
        else:
            findings += _sound_findings(utterance, result, shortest, longest)
    heard = [(u, m) for u, m in zip(manifest, results, strict=True) if isinstance(m, Measures)]
    findings += _text_findings(manifest, count_unknown)
    sounding = [(u, m) for u, m in heard if m.level > SILENCE_LEVEL]
    findings += _rate_findings(sounding)
    findings += text_findings([u.text for u in manifest])
    findings += length_findings([u.text for u, _ in sounding], [m.speech for _, m in sounding])
    findings += _twin_findings(manifest, heard)
    findings += _whole_findings(manifest, sample_rate)
    return Report(manifest, measures, tuple(located(findings, manifest)))


def _measure(utterance: Utterance) -> Measures | Finding:
    if not Path(utterance.audio).is_file():
        return Finding(utterance.id, "missing audio", f"no file {utterance.audio}", "Add the file or remove the row.")
    try:
        return measure(utterance.audio)
    except AudioError as fault:
        return unreadable(utterance, fault)


def _sound_findings(u: Utterance, m: Measures, shortest: float, longest: float) -> list[Finding]:
    """Everything that can be wrong with the sound of one clip; silence hides the rest."""
    if m.level <= SILENCE_LEVEL:
        return [Finding(u.id, "silence", f"nothing above {SILENCE_LEVEL:g} dB", "Record it again or remove it.")]
    tests = (
        (m.speech < shortest, "too short", f"{m.speech:.2f} s of sound, at least {shortest:g} s are wanted",
         "Remove it, or join it with its neighbour."),
        (m.speech > longest, "too long", f"{m.speech:.1f} s, at most {longest:g} s are wanted",
         "Cut it at a pause into two clips and two rows."),
        (m.clipped > max(8, CLIPPED_SHARE * m.speech * u.sample_rate), "clipping",
         f"{m.clipped} samples lie in flat tops", "Record it again with less gain; a declipper only helps a little."),
        (m.level < QUIET_LEVEL, "quiet", f"loud parts reach only {m.level:.0f} dB of full scale",
         "Record it again nearer to the microphone; raising it raises its noise."),
        (m.snr < NOISY_SNR, "noisy", f"the noise lies {m.snr:.0f} dB under the speech, {NOISY_SNR:g} are wanted",
         "Record it again in a quieter room, or remove it; the voice learns the noise."),
        (abs(m.offset) > OFFSET, "offset", f"the middle of the wave lies at {m.offset:+.3f}",
         "High-pass it at 20 Hz."),
        (max(m.leading, m.trailing) > EDGE_SECONDS, "silent edges",
         f"{m.leading:.1f} s before and {m.trailing:.1f} s after the speech",
         "Nothing is needed: it is trimmed for training (unless corpus.trim is off)."),
        (m.cancelling, "channels cancel", "one channel is the other upside down, so that their mean is silent: the louder is taken",
         "Nothing is needed for these clips; before you record more, mend the wiring of the microphone."),
        (m.pause > PAUSE_SECONDS, "long pause", f"{m.pause:.1f} s of silence inside", "Cut the pause out, or cut the clip in two."),
    )  # fmt: skip
    return [Finding(u.id, kind, detail, remedy) for failed, kind, detail, remedy in tests if failed]


def _text_findings(manifest: Manifest, count_unknown: CountUnknown | None) -> list[Finding]:
    findings = []
    totals: Counter[str] = Counter()
    clips: Counter[str] = Counter()
    for u in manifest:
        if not is_speakable(u.text):
            findings.append(
                Finding(u.id, "empty text", "there is nothing to say", "Write what is said or remove the row.")
            )
            continue
        try:
            unknown = count_unknown(u.text) if count_unknown else Counter()
        except TextError as fault:
            findings.append(Finding(u.id, "unspeakable text", fault.problem, fault.remedy))
            continue
        if unknown:
            totals += unknown
            clips.update(unknown.keys())
            remedy = "Spell it otherwise, or let the new symbols be grafted: they are learnt from these clips alone."
            findings.append(Finding(u.id, "unknown symbols", f"never seen by the base: {_counted(unknown)}", remedy))
    if totals:
        each = ", ".join(f"{_shown(s)} ×{n} in {clips[s]} clips" for s, n in totals.most_common(20))
        remedy = "A symbol needs some dozens of examples to be learnt."
        findings.append(
            Finding("*", "unknown symbols", f"{len(totals)} symbols the base has never seen: {each}", remedy)
        )
    return findings


def _counted(symbols: Counter[str]) -> str:
    return ", ".join(f"{_shown(symbol)} ×{count}" for symbol, count in symbols.most_common(20))


def _shown(symbol: str) -> str:
    code = " ".join(f"U+{ord(c):04X}" for c in symbol)
    return f"{symbol} ({code})" if symbol.isprintable() and symbol.strip() else code


def _rate_findings(heard: Sequence[tuple[Utterance, Measures]]) -> list[Finding]:
    letter = letter_seconds([u.text for u, _ in heard], [m.speech for _, m in heard])
    found = (_pace_finding(u, m.speech, letter) for u, m in heard if is_speakable(u.text))
    return [finding for finding in found if finding is not None]


def _pace_finding(u: Utterance, speech: float, letter: float | None) -> Finding | None:
    """Whether a text is too long or too short for its recording: for this corpus, or for anybody."""
    least, most = 0.0, longest_seconds(u.text)
    detail = f"{speech:.1f} s of speech, nobody takes more than {most:.1f} s for it"
    if letter is not None:
        expected = expected_seconds(u.text, letter)
        least, most = SHORTEST_RATIO * expected, min(most, LONGEST_RATIO * expected)
        detail = f"{speech:.1f} s of speech, {expected:.1f} s expected at this corpus's pace"
    if speech < least:
        remedy = "Listen: the text may belong to another clip, or the recording was cut off."
        return Finding(u.id, "text too long", detail, remedy)
    if speech > most:
        remedy = "Listen: something is said that isn't in the text, or abbreviations are spelt out."
        return Finding(u.id, "text too short", detail, remedy)
    return None


def _twin_findings(manifest: Manifest, heard: Sequence[tuple[Utterance, Measures]]) -> list[Finding]:
    """Ids used twice, and recordings that are the same sound."""
    findings = []
    for name, count in Counter(u.id for u in manifest).items():
        if count > 1:
            findings.append(Finding(name, "duplicate id", f"used {count} times", "Rename all but one or remove them."))
    first: dict[str, Utterance] = {}
    for u, m in heard:
        other = first.setdefault(m.sound, u)
        if other.id != u.id and m.level > SILENCE_LEVEL:
            same = text_key(other.text) == text_key(u.text)
            remedy = "Remove one of the two." if same else "Listen: one of the two texts is wrong."
            findings.append(Finding(u.id, "duplicate audio", f"the same sound as {other.id}", remedy))
    return findings


def _whole_findings(manifest: Manifest, sample_rate: int | None) -> list[Finding]:
    findings = []
    rates = Counter(u.sample_rate for u in manifest)
    if len(rates) > 1:
        each = ", ".join(f"{count} at {rate} Hz" for rate, count in rates.most_common())
        findings.append(
            Finding(
                "*",
                "several sample rates",
                each,
                "Nothing is needed if the recordings sound alike: they are resampled.",
            )
        )
    nameless = [u.id for u in manifest if u.speaker is None]
    if nameless and len(nameless) < len(manifest):
        detail = f"{len(nameless)} clips name no speaker, where others do: {', '.join(nameless[:5])}"
        findings.append(
            Finding(
                WHOLE,
                "no speaker",
                detail,
                "Write who speaks into their rows: a model of several speakers needs to know.",
            )
        )
    lower = sum(count for rate, count in rates.items() if sample_rate and rate < sample_rate)
    if lower:
        detail = f"{lower} clips have a lower sample rate than the model's {sample_rate} Hz and are upsampled"
        findings.append(
            Finding(
                "*", "upsampling", detail, "Record at the model's rate, or the voice sounds as dull as its recordings."
            )
        )
    if 0 < manifest.seconds < LITTLE_SECONDS:
        detail = f"{manifest.seconds:.0f} s in all"
        findings.append(Finding("*", "little speech", detail, "Record at least two minutes, better twenty."))
    return findings
