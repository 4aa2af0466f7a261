"""Every kind of finding, planted one at a time in a corpus that has none."""

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.corpus.tones import RATE, tone

from voxgraft.corpus import sample
from voxgraft.corpus.checks.check import check, examine
from voxgraft.corpus.checks.finding import BLOCKING
from voxgraft.corpus.checks.page import write_page
from voxgraft.corpus.checks.plausible import length_findings, text_findings
from voxgraft.corpus.importers import scan
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import TextError

TEXT = "some twenty letters here now"


@pytest.fixture
def clean(corpus, write):
    """Ten clips of 7.x seconds with texts to match, and a way to add one more."""
    clips = []

    def add(name: str, x: np.ndarray | None = None, text: str = TEXT, rate: int = RATE, **options) -> Manifest:
        x = tone(7 + len(clips) / 50, rate, pitch=200 + 5 * len(clips)) if x is None else x
        path = write(f"wavs/{name}.wav", x=x, rate=rate, subtype="FLOAT", **options)
        clips.append(Utterance(name, str(path), text, len(x) / rate, rate))
        return Manifest(tuple(clips))

    for number in range(10):
        add(f"clean{number}", text=f"{TEXT} {'abcdefghij'[number]}")
    return add


def found(manifest: Manifest, **options) -> set[tuple[str, str]]:
    return {(f.clip, f.kind) for f in check(manifest, **options)}


def test_a_clean_corpus_has_no_findings(clean):
    assert found(clean("last", text=TEXT + " z")) == set()


def clipped() -> np.ndarray:
    return np.clip(4 * tone(7), -1, 1)


def noisy() -> np.ndarray:
    return tone(7) + 0.05 * np.random.default_rng(0).standard_normal(len(tone(7))).astype(np.float32)


def with_pause() -> np.ndarray:
    return np.concatenate([tone(3.5), np.zeros(2 * RATE, np.float32), tone(3.5)])


@pytest.mark.parametrize(
    ("kind", "x"),
    [
        ("clipping", clipped),
        ("silence", lambda: np.zeros(7 * RATE, np.float32)),
        ("silence", lambda: 1e-4 * tone(7)),
        ("too short", lambda: tone(0.3)),
        ("too long", lambda: tone(16)),
        ("quiet", lambda: tone(7, level=0.005)),
        ("noisy", noisy),
        ("offset", lambda: tone(7) + np.float32(0.1)),
        ("silent edges", lambda: np.concatenate([np.zeros(2 * RATE, np.float32), tone(7)])),
        ("long pause", with_pause),
    ],
)
def test_sound(clean, kind, x):
    findings = [f for f in check(clean("bad", x(), TEXT + " z")) if f.kind == kind]
    assert [f.clip for f in findings] == ["bad"]
    assert findings[0].detail
    assert findings[0].remedy


def test_loud_but_whole_peaks_are_not_clipping(clean):
    assert ("bad", "clipping") not in found(clean("bad", tone(7, level=0.999), TEXT + " z"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [("text too long", TEXT * 3), ("text too short", "abc"), ("empty text", " "), ("empty text", "...!")],
)
def test_text(clean, kind, text):
    assert ("bad", kind) in found(clean("bad", text=text))


def test_the_pace_of_tiny_corpora_is_not_judged(write):
    path = write("a.wav", 7.0)
    one = Manifest((Utterance("a", str(path), "x" * 1000, 7.2, RATE),))
    assert found(one) == {("*", "little speech")}


def test_unknown_symbols_are_counted(clean):
    def count_unknown(text: str) -> Counter[str]:
        return Counter(c for c in text if c in "ʘ\u0301")

    findings = check(clean("bad", text=TEXT + " ʘʘ\u0301"), count_unknown=count_unknown)
    details = {f.clip: f.detail for f in findings if f.kind == "unknown symbols"}
    assert set(details) == {"bad", "*"}
    assert "ʘ (U+0298) ×2" in details["bad"]
    assert "2 symbols" in details["*"]


def test_a_text_that_can_not_be_spoken_is_a_finding(clean):
    def count_unknown(text: str) -> Counter[str]:
        if text == "bad":
            raise TextError("no phonemes", remedy="spell it")
        return Counter()

    assert ("bad", "unspeakable text") in found(clean("bad", text="bad"), count_unknown=count_unknown)


def test_twins(clean, write):
    clean("one", tone(7.5), TEXT + " y")
    manifest = clean("other", tone(7.5), TEXT + " z")
    findings = {(f.clip, f.kind): f for f in check(manifest)}
    assert "one of the two texts is wrong" in findings["other", "duplicate audio"].remedy
    again = Manifest((*manifest, manifest.utterances[0]))
    assert ("clean0", "duplicate id") in found(again)


def test_files_that_can_not_be_read(clean, corpus):
    clean("gone")
    manifest = clean("broken", text=TEXT + " z")
    (corpus / "wavs/gone.wav").unlink()
    (corpus / "wavs/broken.wav").write_bytes(b"no sound at all" * 100)
    report = examine(manifest)
    assert {("gone", "missing audio"), ("broken", "unreadable audio")} <= {(f.clip, f.kind) for f in report.findings}
    assert report.blocked == {"gone", "broken"}
    assert [u.id for u in report.usable] == [f"clean{n}" for n in range(10)]


def test_rates(clean):
    manifest = clean("other", tone(7.5, 8000), TEXT + " z", rate=8000)
    assert found(manifest, sample_rate=16000) == {("*", "several sample rates"), ("*", "upsampling")}


def test_findings_of_the_import_are_kept(corpus, write):
    write("wavs/a.wav")
    (corpus / "metadata.csv").write_text("a|Hi\nb|Bye\n")
    found = scan(corpus)
    report = examine(found.manifest, earlier=found.findings)
    assert [(f.clip, f.kind, f.line) for f in report.findings if f.blocking] == [("b", "missing audio", 2)]
    document = report.to_dict()
    assert document["clips"] == 1
    assert set(document["findings"][0]) >= {"clip", "kind", "detail", "remedy"}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_self_contained_and_escaped(clean, tmp_path):
    manifest = clean("<img src=x onerror=alert(1)>".replace("/", ""), 1e-4 * tone(7), "<script>alert(1)</script>")
    write_page(examine(manifest), tmp_path / "check.html")
    page = Page()
    page.feed((tmp_path / "check.html").read_text("utf-8"))
    assert page.tags["script"] == 1
    assert page.tags["img"] == 0
    assert page.tags["audio"] == 1
    assert page.tags["svg"] == 4
    assert all(link.startswith("data:audio/mpeg;base64,") for link in page.links)
    assert "<script>alert(1)</script>" in page.words
    assert "silence" in page.words


def test_the_page_stays_small(clean, tmp_path, monkeypatch):
    monkeypatch.setattr("voxgraft.corpus.checks.page.LARGEST_AUDIO_BYTES", 200_000)
    for number in range(5):
        manifest = clean(f"bad{number}", tone(16 + number), f"{TEXT} {number}")
    write_page(examine(manifest), tmp_path / "check.html")
    content = (tmp_path / "check.html").read_text()
    assert len(content) < 220_000
    assert 1 <= content.count("<audio") < 5


def test_kinds_that_block_are_all_known():
    kinds = {"malformed row", "unsafe path", "missing audio", "unreadable audio", "duplicate id", "empty text"}
    heard = {"silence", "too short", "too long"}
    of_recognisers = {"outside the alphabet", "too short for its text"}
    of_two_stages = {
        "unknown symbols", "unknown speaker", "unknown language", "wrong length", "wrong durations", "not a number",
    }  # fmt: skip
    assert kinds | heard | of_recognisers | of_two_stages == BLOCKING


def test_stereo_in_antiphase_is_told_and_no_silence(clean):
    mono = tone(7)
    kinds = {kind for clip, kind in found(clean("bad", np.stack([mono, -mono], axis=1), TEXT + " z")) if clip == "bad"}
    assert kinds == {"channels cancel"}


@pytest.mark.parametrize(
    ("text", "seconds", "kind"),
    [
        ("a", 2.0, "text too short"),
        ("0", 2.0, "text too short"),
        ("bob", 2.4, "text too short"),
        ("你", 2.0, "text too short"),
        ("Yes.", 0.8, None),
        ("seven", 1.2, None),
        ("a short sentence", 1.5, None),
    ],
)
def test_what_nobody_says_in_that_time_is_found_in_the_smallest_corpus(write, text, seconds, kind):
    clip = Utterance("a", str(write("a.wav", seconds)), text, seconds + 0.2, RATE)
    kinds = {k for _, k in found(Manifest((clip,))) if k.startswith("text")}
    assert kinds == ({kind} if kind else set())


SENTENCES = ("Please open the door.", "The night was very dark indeed.", "We sailed at dawn.", "Nobody knew his name.",
             "It rained for three days and nights.", "They sang an old song.")  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["0"] * 6, "same text"),
        (["Hello there."] * 3, "same text"),
        (["bob"] * 4 + ["anna"] * 2, "same text"),
        (["bob", "anna"] * 4 + ["carl", "dora"] * 2, "texts like names"),
        ([str(n) for n in range(6)], "texts like names"),
        (list(SENTENCES), None),
        (["yes", "no"], None),
        ([], None),
    ],
)
def test_texts_that_can_not_be_what_is_heard(texts, kind):
    assert [f.kind for f in text_findings(texts)] == ([kind] if kind else [])


def test_texts_of_other_clips_are_noticed():
    seconds = [1.0 + n / 2 for n in range(12)]
    texts = ["word " * (n + 2) for n in range(12)]
    assert length_findings(texts, seconds) == []
    mixed = [texts[(5 * n + 6) % 12] for n in range(12)]
    assert [f.kind for f in length_findings(mixed, seconds)] == ["texts of other clips"]
    assert length_findings(texts, [3.0] * 12) == []


def test_the_bundled_corpus_says_what_is_heard_in_it():
    kinds = {f.kind for f in check(sample.bundled())}
    assert not kinds & {"same text", "texts like names", "texts of other clips", "channels cancel"}


def test_clips_without_a_speaker_beside_others_are_told(clean):
    some = [replace(u, speaker="ann" if n else None) for n, u in enumerate(clean("last", text=TEXT + " z"))]
    (finding,) = check(Manifest(tuple(some)))
    assert (finding.kind, finding.detail.split(",")[0]) == ("no speaker", "1 clips name no speaker")
