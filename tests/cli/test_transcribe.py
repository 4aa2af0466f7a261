"""The verbs `transcribe` and `align` as a person runs them, on a recogniser whose outputs are known."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx")

from tests.inference.recogniser.tiny_recogniser import RATE, loudness_recogniser, speech

VOXGRAFT = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]


def voxgraft(*arguments, cwd):
    return subprocess.run([*VOXGRAFT, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A recogniser and three recordings, one of them broken."""
    folder = tmp_path_factory.mktemp("place")
    loudness_recogniser(folder / "model")
    for name, text in (("one", "ab ca"), ("sub/two", "de"), ("sub/three", "a b")):
        (folder / "audio" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"audio/{name}.wav", speech(text), RATE, subtype="FLOAT")
    (folder / "broken.wav").write_bytes(b"RIFF....WAVEnonsense")
    (folder / "words.txt").write_text("ab\nca\nde\n")
    (folder / "text.txt").write_text("ab ca\nde\n")
    return folder


def test_one_recording_is_its_text(place):
    done = voxgraft("transcribe", "model", "audio/one.wav", cwd=place)
    assert (done.returncode, done.stdout) == (0, "ab ca\n"), done.stderr


def test_a_folder_gives_a_line_each(place):
    done = voxgraft("transcribe", "model/loud.onnx", "audio", cwd=place)
    assert done.stdout == "audio/one.wav\tab ca\naudio/sub/three.wav\ta b\naudio/sub/two.wav\tde\n"


def test_json_is_one_document_with_words_and_times(place):
    done = voxgraft("transcribe", "model", "audio/one.wav", "--json", "--alternatives", 3, cwd=place)
    (entry,) = json.loads(done.stdout)["files"]
    assert entry["text"] == "ab ca"
    (segment,) = entry["segments"]
    assert [word["text"] for word in segment["words"]] == ["ab", "ca"]
    assert segment["words"][0]["start"] == pytest.approx(0.06)
    assert len(segment["alternatives"]) <= 2
    assert entry["real_time_factor"] > 0


@pytest.mark.parametrize(
    ("flag", "head"), [("--srt", "1\n00:00:00,060 --> "), ("--vtt", "WEBVTT\n\n00:00:00.060 --> ")]
)
def test_subtitles(place, flag, head):
    done = voxgraft("transcribe", "model", "audio/one.wav", flag, cwd=place)
    assert done.stdout.startswith(head)


def test_a_folder_of_subtitles_lies_as_the_recordings_do(place, tmp_path):
    done = voxgraft("transcribe", "model", "audio", "--srt", "-o", tmp_path / "out", cwd=place)
    assert done.returncode == 0, done.stderr
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.srt"))
    assert written == ["one.srt", "sub/three.srt", "sub/two.srt"]


def test_one_bad_file_does_not_stop_the_rest(place):
    done = voxgraft("transcribe", "model", "broken.wav", "audio/one.wav", "none.wav", "--json", cwd=place)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert [entry["text"] for entry in document["files"]] == ["ab ca"]
    assert [entry["file"] for entry in document["failed"]] == ["broken.wav", "none.wav"]
    assert "2 of 3 recordings" in done.stderr
    assert "Traceback" not in done.stderr


def test_language_model_hot_words_and_lexicon(place):
    assert voxgraft("lm", "text.txt", "-o", "lm.arpa", cwd=place).returncode == 0
    options = ["--lm", "lm.arpa", "--alpha", "0.5", "--beta", "1", "--hot-word", "ca=3", "--beam", "50"]
    assert voxgraft("transcribe", "model", "audio/one.wav", *options, cwd=place).stdout == "ab ca\n"
    pytest.importorskip("flashlight.lib.text")
    done = voxgraft("transcribe", "model", "audio/one.wav", "--lexicon", "words.txt", "--lm", "lm.arpa", cwd=place)
    assert done.stdout == "ab ca\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none", "audio/one.wav"], 1, "no such recogniser"),
        (["model", "model"], 1, "no recording here"),
        (["model", "audio/one.wav", "--lm", "none.arpa"], 1, "no such language model"),
        (["model", "audio/one.wav", "--lm", "words.txt"], 1, "not an ARPA file"),
        (["model", "audio/one.wav", "--hot-word", "xyz"], 1, "can't be written"),
        (["model", "audio/one.wav", "--hot-word", "ab=x"], 2, "WORD=NUMBER"),
        (["model", "audio/one.wav", "--srt", "--vtt"], 2, "one of"),
        (["model", "audio", "--srt"], 2, "folder"),
    ],
)
def test_a_mistake_is_told_before_anything_is_done(place, arguments, code, message):
    done = voxgraft("transcribe", *arguments, cwd=place)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_words_are_aligned(place, tmp_path):
    files = ["--textgrid", tmp_path / "one.TextGrid", "--csv", tmp_path / "words.csv"]
    done = voxgraft("align", "model", "audio/one.wav", "AB ca", *files, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)["utterances"]
    assert [(w["text"], w["start"]) for w in entry["words"]] == [("ab", 0.06), ("ca", 0.54)]
    assert entry["margin"] == pytest.approx(0, abs=1e-3)
    assert 'text = "ab"' in (tmp_path / "one.TextGrid").read_text("utf-8")
    assert (tmp_path / "words.csv").read_text("utf-8").splitlines()[1].startswith("one,ab,0.06,")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Ten recordings, one with another's text and one with a text far too long."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "wavs").mkdir()
    texts = ["ab ca", "de ba", "ca de", "bad ab", "dab a", "be ad", "ace", "cab e", "ab ed", "da ba"]
    rows = []
    rng = np.random.default_rng(0)
    for number, text in enumerate(texts):
        audio = speech(text) + rng.normal(0, 0.004, len(speech(text))).astype(np.float32)
        soundfile.write(folder / f"wavs/c{number}.wav", audio, RATE, subtype="FLOAT")
        written = {3: "ee cc", 7: "ab " * 300}.get(number, text)
        rows.append(f"c{number}|{written}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_corpus_is_aligned_the_worst_first(place, corpus, tmp_path):
    done = voxgraft("align", "model", corpus, "--textgrid", tmp_path / "grids", "--json", cwd=place)
    entries = json.loads(done.stdout)["utterances"]
    assert done.returncode == 1
    assert "too short for the text" in done.stderr
    assert [entry["id"] for entry in entries[:2]] == ["c7", "c3"]
    assert entries[0]["margin"] is None
    assert entries[1]["margin"] < entries[2]["margin"] - 0.2
    assert len(list((tmp_path / "grids").glob("*.TextGrid"))) == 9


def test_doubtful_texts_are_findings(place, corpus):
    from voxgraft.corpus.checks.spoken import align_utterances, doubtful
    from voxgraft.corpus.importers import scan
    from voxgraft.inference.recogniser.recogniser import Recogniser

    recogniser = Recogniser.load(place / "model")
    findings = doubtful(align_utterances(scan(corpus).manifest, recogniser))
    assert [(finding.clip, finding.kind) for finding in findings] == [("c7", "not aligned"), ("c3", "doubtful text")]
    assert doubtful([]) == []


def test_a_recording_without_its_text_is_bad_usage(place):
    done = voxgraft("align", "model", "audio/one.wav", cwd=place)
    assert done.returncode == 2
    assert "needs its text" in done.stderr


def test_transcribing_imports_no_torch():
    code = "import sys, voxgraft.cli.transcribe, voxgraft.cli.align, voxgraft.inference.recogniser.streaming as s; assert not {'torch', 'numba', 'scipy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_corpus_check_lists_the_texts_that_a_recogniser_doubts(place, corpus, tmp_path):
    options = ["--recogniser", place / "model", "--shortest", "0.1", "--html", tmp_path / "check.html"]
    done = voxgraft("corpus", "check", corpus, *options, "--json", cwd=place)
    findings = json.loads(done.stdout)["findings"]
    found = [(f["clip"], f["kind"], f["line"]) for f in findings if f["kind"] in ("not aligned", "doubtful text")]
    assert found == [("c7", "not aligned", 8), ("c3", "doubtful text", 4)], done.stderr
    doubted = next(f for f in findings if f["kind"] == "doubtful text")
    assert "heard 'bad ab'" in doubted["detail"]
    assert not doubted["blocking"]
    page = (tmp_path / "check.html").read_text("utf-8")
    assert page.count("doubtful text") == 1
    assert "heard &#x27;bad ab&#x27;" in page
    table = voxgraft("corpus", "check", corpus, *options, cwd=place).stdout
    assert "doubtful text" in table
    assert not [f for f in findings_without(corpus, place, tmp_path) if "align" in f["kind"] or "doubt" in f["kind"]]


def findings_without(corpus, place, folder):
    done = voxgraft("corpus", "check", corpus, "--html", folder / "plain.html", "--json", cwd=place)
    return json.loads(done.stdout)["findings"]


def test_a_corpus_check_with_a_recogniser_needs_no_torch(place, corpus, tmp_path):
    code = (
        "import sys; from voxgraft.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.exit(3 if 'torch' in sys.modules else 0)"
    )
    command = ["corpus", "check", corpus, "--recogniser", place / "model", "--html", tmp_path / "check.html"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, command)], cwd=place, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_missing_recogniser_is_told_before_the_corpus_is_read(place, corpus, tmp_path):
    done = voxgraft("corpus", "check", corpus, "--recogniser", "none", "--html", tmp_path / "check.html", cwd=place)
    assert done.returncode == 1
    assert "no such recogniser" in done.stderr
    assert "Checking" not in done.stderr
    assert not (tmp_path / "check.html").exists()
