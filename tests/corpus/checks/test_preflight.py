"""Everything that would keep a recogniser from learning, planted one at a time."""

import unicodedata

import pytest
from tests.corpus.tones import tone

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.corpus.alphabet_from import derive_alphabet, write_alphabet
from voxgraft.corpus.checks.alphabet_file import alphabet_findings
from voxgraft.corpus.checks.preflight import preflight
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.transcript_spec import TranscriptSpec, transcript_spec_of
from voxgraft.errors import CorpusError
from voxgraft.inference.recogniser.align import needed_frames
from voxgraft.text.alphabet import alphabet_table, byte_table, parse_alphabet

ENGLISH = (" ", *"abcdefghijklmnopqrstuvwxyz", "'")
NO_SOUND = "no sound is read here"


def transcript_spec(labels=ENGLISH, **options) -> TranscriptSpec:
    return transcript_spec_of(alphabet_table(labels), None, MfccSpec(), options.get("text", "plain"))


def utterances(*texts: str, seconds: float | None = None, rate: int = 16000, **fields) -> Manifest:
    made = []
    for number, text in enumerate(texts):
        duration = 0.3 + 0.07 * len(text) if seconds is None else seconds
        made.append(Utterance(f"clip{number}", f"{NO_SOUND}{number}", text, duration, rate, **fields))
    return Manifest(tuple(made))


def kinds(findings) -> list[tuple[str, str]]:
    return [(f.clip, f.kind) for f in findings]


def test_a_corpus_that_fits_has_no_findings():
    pangram = "the quick brown fox jumps over the lazy dog don't"
    texts = [f"{pangram} {word}" for word in ("one", "two", "three", "four", "five", "six")]
    assert preflight(utterances(*texts), transcript_spec()) == []


def test_characters_outside_the_alphabet_are_counted_with_their_clips():
    findings = preflight(utterances("naïve café", "plain words", "ñandú 42", "42"), transcript_spec())
    blocked = {f.clip: f.detail for f in findings if f.blocking}
    assert list(blocked) == ["clip0", "clip2", "clip3"]
    assert "ï (U+00EF) ×1" in blocked["clip0"]
    (whole,) = [f for f in findings if f.kind == "missing characters"]
    assert "6 characters" in whole.detail
    assert "4 (U+0034) ×2 in clip2, clip3" in whole.detail
    assert "numbers as the words" in next(f.remedy for f in findings if f.clip == "clip3")


def test_an_alphabet_without_the_space_is_told_as_that():
    (blocked,) = [f for f in preflight(utterances("two words"), transcript_spec(ENGLISH[1:])) if f.blocking]
    assert "space (U+0020) ×1" in blocked.detail
    assert "line of one space" in blocked.remedy


def test_capitals_and_punctuation_are_no_faults_but_as_is_they_are():
    corpus = utterances("Hello, World!")
    assert not [f for f in preflight(corpus, transcript_spec()) if f.blocking]
    (blocked,) = [f for f in preflight(corpus, transcript_spec(text="as_is")) if f.blocking]
    assert ", (U+002C) ×1" in blocked.detail
    assert "! (U+0021) ×1" in blocked.detail


def test_normal_forms_are_told_with_what_reading_mends():
    labels = (" ", *"cafédnu")
    nfd = unicodedata.normalize("NFD", "café")
    findings = preflight(utterances("un café", f"un {nfd}"), transcript_spec(labels))
    assert not [f for f in findings if f.blocking], "NFC alphabets read both"
    (forms,) = [f for f in findings if f.kind == "normal forms"]
    assert "1 of 2 transcripts are decomposed (NFD), such as clip1, 1 composed (NFC)" in forms.detail
    assert "1 fewer marks are outside" in forms.detail


@pytest.mark.parametrize("text", ["", " ", "...", "?!"])
def test_empty_transcripts(text):
    assert ("clip0", "empty text") in kinds(preflight(utterances(text), transcript_spec()))


def test_more_labels_than_frames():
    text = "hello all"  # 9 labels and 2 blanks between the double letters: 11 frames
    spelt = transcript_spec().labels.spell(text)
    assert needed_frames(spelt.labels) == 11
    long_enough = (512 + 10 * 320) / 16000
    assert transcript_spec().frames(long_enough) == 11
    assert not [
        f for f in preflight(utterances(text, seconds=long_enough), transcript_spec(), pace=False) if f.blocking
    ]
    (short,) = [f for f in preflight(utterances(text, seconds=long_enough - 1e-3), transcript_spec()) if f.blocking]
    assert short.kind == "too short for its text"
    assert "10 frames of output, its 9 labels need 11" in short.detail


@pytest.mark.parametrize(
    ("name", "frames"),
    [("hugging_face/mms", 49), ("hugging_face/parakeet", 13), ("deepspeech/english", 49), ("deepspeech/bytes", 49)],
)
def test_frames_of_real_families(name, frames):
    base = open_checkpoint(f"tests/fixtures/{name}")
    heard = transcript_spec_of(base.symbols, base, MfccSpec(), "plain")
    assert (heard.sample_rate, heard.frames(1.0)) == (16000, frames)


def test_bytes_write_every_script():
    heard = transcript_spec_of(byte_table(), None, MfccSpec(), "plain")
    assert preflight(utterances("Любой текст 你好"), heard) == []


def test_unused_and_rare_labels():
    findings = preflight(utterances(*["abc abc abc"] * 3, "x abc"), transcript_spec((" ", *"abcxyz")))
    details = {f.kind: f.detail for f in findings}
    assert "2 labels never come: y (U+0079), z (U+007A)" in details["unused labels"]
    assert "x (U+0078) ×1" in details["rare labels"]


@pytest.mark.parametrize(("rate", "told"), [(8000, "4000 Hz"), (44100, "resampled"), (16000, None)])
def test_sample_rates(rate, told):
    found = [f for f in preflight(utterances("hi there", rate=rate), transcript_spec()) if f.kind == "sample rates"]
    assert bool(found) == bool(told)
    assert all(told in f.detail + f.remedy and not f.blocking for f in found)


def test_absurdly_fast_and_slow_speech():
    texts = [f"some words of usual length {word}" for word in ("one", "two", "three", "four", "five", "six")]
    good = utterances(*texts)
    odd = [
        Utterance("fast", NO_SOUND, texts[0], 0.9, 16000),
        Utterance("slow", NO_SOUND, texts[1], 20.0, 16000),
    ]
    findings = preflight(Manifest((*good, *odd)), transcript_spec())
    paces = [(f.clip, f.kind) for f in findings if f.kind.startswith("text too")]
    assert paces == [("fast", "text too long"), ("slow", "text too short")]


@pytest.fixture
def recorded(write):
    """`recorded("train", "a", "text", pitch)` is an utterance with sound."""

    def make(folder: str, name: str, text: str, pitch: float, **fields) -> Utterance:
        x = tone(0.5, pitch=pitch)
        path = write(f"{folder}/{name}.wav", x=x)
        return Utterance(name, str(path), text, len(x) / 16000, 16000, **fields)

    return make


def test_texts_sounds_and_speakers_in_two_sets(recorded):
    train = Manifest(
        (recorded("train", "a", "One text.", 200, speaker="ann"), recorded("train", "b", "Two", 300, speaker="bob"))
    )
    dev = Manifest((recorded("dev", "c", "one TEXT", 400, speaker="cy"), recorded("dev", "d", "three", 300)))
    test = Manifest((recorded("test", "e", "four", 500, speaker="bob"), recorded("test", "f", "five", 400)))
    told = {(f.kind, f.detail.split(":")[0]) for f in preflight(train, transcript_spec(), dev=dev, test=test)}
    assert {
        ("text in two sets", "1 of 2 utterances of dev share it with train"),
        ("recording in two sets", "1 of 2 utterances of dev share it with train"),
        ("speaker in two sets", "1 of 2 utterances of test share it with train"),
        ("recording in two sets", "1 of 2 utterances of test share it with dev"),
    } == {one for one in told if one[0].endswith("two sets")}
    names = [f.detail for f in preflight(train, transcript_spec(), dev=dev) if f.kind == "recording in two sets"]
    assert "d (as b)" in names[0]


def test_a_recording_that_cannot_be_read_is_no_leak(recorded, corpus):
    train = Manifest((recorded("train", "a", "one", 200),))
    broken = recorded("dev", "a", "two", 200)
    (corpus / "dev/a.wav").write_bytes(b"RIFF")
    assert not [f for f in preflight(train, transcript_spec(), dev=Manifest((broken,))) if "two sets" in f.kind]


def test_what_dev_has_outside_the_alphabet_is_told_and_blocks_nothing():
    findings = preflight(utterances("abc"), transcript_spec(), dev=utterances("žluť"))
    (told,) = [f for f in findings if f.detail.startswith("dev: ")]
    assert "ž" in told.detail
    assert not [f for f in findings if f.blocking]


NFD_E = unicodedata.normalize("NFD", "é")


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (" \na\nb\na\n", 4, "stands in line 2 already"),
        (" \na\n\nb\n", 3, "empty line"),
        (" \na\n<blank>\n", 3, "is the blank"),
        (" \na\n[PAD]\n", 3, "is a mark"),
        (" \na\nch\n", 3, "several characters"),
        (f" \né\n{NFD_E}\n", 3, "spelt otherwise"),
        (f" \na\n{NFD_E}\n", 3, "decomposed (NFD)"),
        ("a\nb\n", None, "has no space"),
        (" \ne\né\n\u0301\n", None, "combining marks"),
    ],
)
def test_alphabet_files(text, line, word):
    (finding,) = alphabet_findings(text, "alphabet.txt")
    assert (finding.line, finding.file) == (line, "alphabet.txt")
    assert word in finding.detail
    assert finding.remedy


@pytest.mark.parametrize("text", ["# comment\n \na\n\\#\n", " \r\na\r\nb\r\n", "", " \na\n\n\n"])
def test_alphabet_files_that_are_well(text):
    assert alphabet_findings(text, "alphabet.txt") == []


def test_the_base_s_own_blank_is_one():
    assert "is the blank" in alphabet_findings(" \na\n~\n", "a.txt", blank="~")[0].detail


def test_an_alphabet_from_transcripts_is_the_same_in_any_order_and_nfc(tmp_path):
    texts = ["Don't stop!", f"caf{NFD_E}", "zebra ж"]
    derived = derive_alphabet(utterances(*texts))
    assert derived == derive_alphabet(Manifest(tuple(reversed(utterances(*texts).utterances))))
    assert derived.labels[0] == " "
    assert set(derived.labels) == set(" 'abcdefnoprstzéж")
    assert list(derived.labels[1:]) == sorted(derived.labels[1:])
    assert (derived.counts["o"], derived.counts["é"]) == (2, 1)
    assert derived.rare["ж"] == ("clip2",)
    path = tmp_path / "alphabet.txt"
    write_alphabet(derived, path)
    assert parse_alphabet(path.read_text("utf-8")) == derived.labels
    assert alphabet_findings(path.read_text("utf-8"), "a") == []
    with pytest.raises(CorpusError, match="is there already"):
        write_alphabet(derived, path)


def test_as_is_keeps_signs_and_the_number_sign_survives_its_file(tmp_path):
    derived = derive_alphabet(utterances("A # b."), "as_is")
    assert set(derived.labels) == set(" #.Ab")
    write_alphabet(derived, tmp_path / "a.txt")
    assert parse_alphabet((tmp_path / "a.txt").read_text("utf-8")) == derived.labels


def test_nothing_to_derive_from(tmp_path):
    with pytest.raises(CorpusError, match="no letters"):
        write_alphabet(derive_alphabet(utterances("...")), tmp_path / "a.txt")
