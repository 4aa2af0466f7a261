"""Coqui STT's CSV, Common Voice's TSV and Hugging Face's folders, as people have them and as nobody should."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.corpus.tones import tone

from voxgraft.corpus.importers import import_corpus, scan
from voxgraft.errors import CorpusError

HEADING = "wav_filename,wav_filesize,transcript"


def kinds(path: Path, **options) -> list[tuple[int | None, str]]:
    return [(f.line, f.kind) for f in scan(path, **options).findings]


def size(path: Path) -> int:
    return path.stat().st_size


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(("delimiter", "ends"), [(",", "\n"), (";", "\r\n"), ("\t", "\n")])
def test_coqui_csv(corpus, write, encoding, delimiter, ends):
    sizes = [size(write(f"clips/{name}.wav")) for name in "ab"]
    lines = [HEADING, f"clips/a.wav,{sizes[0]},привет мир", f'clips/b.wav,{sizes[1]},"so, ""he"" said"']
    text = ends.join(line.replace(",", delimiter, 2) for line in lines)
    (corpus / "train.csv").write_bytes(f"{text}{ends}".encode(encoding))
    found = scan(corpus / "train.csv")
    assert found.findings == ()
    assert found.importer == "coqui-stt"
    assert [(u.id, u.text) for u in found.manifest] == [("a", "привет мир"), ("b", 'so, "he" said')]
    assert scan(corpus).manifest == found.manifest, "the only table of a folder"


def test_columns_come_in_any_order_and_others_are_passed_over(corpus, write):
    write("a.wav")
    (corpus / "t.csv").write_text("Transcript,duration,speaker,wav_filename\nhi there,1.2,ann,a.wav\n")
    (utterance,) = scan(corpus / "t.csv").manifest
    assert (utterance.text, utterance.speaker) == ("hi there", "ann")


@pytest.mark.parametrize("written", ["1", "-5", "", "many", "1e9", "99999999999999999999"])
def test_a_wrong_size_is_told_and_no_reason_to_leave_a_clip_out(corpus, write, written):
    real = size(write("a.wav"))
    (corpus / "t.csv").write_text(f"{HEADING}\na.wav,{written},hi\n")
    found = scan(corpus / "t.csv")
    assert len(found.manifest) == 1
    assert [(f.line, f.kind, f.blocking) for f in found.findings] == [(2, "wrong size", False)]
    assert str(real) in found.findings[0].detail
    assert len(import_corpus(corpus / "t.csv")) == 1


def test_absolute_names_inside_the_folder_are_taken_and_others_refused(corpus, write, tmp_path):
    inside = write("clips/a.wav")
    outside = write("../outside.wav").resolve()
    (corpus / "t.csv").write_text(
        f"{HEADING}\n{inside.absolute()},{size(inside)},hi\n{outside},1,no\n../outside.wav,1,no\n"
        f"{corpus.absolute()}/../outside.wav,1,no\n"
    )
    found = scan(corpus / "t.csv")
    assert [(u.id, u.audio) for u in found.manifest] == [("a", str(inside))]
    assert [(f.line, f.kind) for f in found.findings] == [(n, "unsafe path") for n in (3, 4, 5)]
    assert "--follow-links" in found.findings[0].remedy
    assert len(scan(corpus / "t.csv", follow_links=True).manifest) == 4


def test_hostile_rows_are_named_by_line_and_the_rest_goes_on(corpus, write):
    good = size(write("a.wav"))
    write("b.wav")
    (corpus / "cut.wav").write_bytes((corpus / "a.wav").read_bytes()[:1000])
    (corpus / "empty.wav").write_bytes(b"")
    soundfile.write(corpus / "silent.wav", np.zeros(0), 16000)
    rows = [
        HEADING.encode(),
        f"a.wav,{good},hi there".encode(),
        b"gone.wav,1,gone",
        b"cut.wav,1,cut",
        b"empty.wav,1,empty",
        b"silent.wav,1,no samples",
        b'b.wav,1,"never closed',
        b"b.wav,1",
        b"b.wav,1,one,too many",
        b"b.wav,1,nul \0 inside",
        b"b.wav,1,\xff\xfe latin",
        b"b.wav,1," + b"x" * 10_000_000,
        b",1,nobody",
        b"b.wav,1,   ",
        b"a.wav,1,again",
    ]
    (corpus / "t.csv").write_bytes(b"\n".join(rows))
    expected = [
        (3, "missing audio"),
        (4, "unreadable audio"),
        (5, "unreadable audio"),
        (6, "unreadable audio"),
        *((n, "malformed row") for n in range(7, 14)),
        (14, "empty text"),
        (15, "duplicate id"),
    ]
    found = scan(corpus / "t.csv")
    assert [(f.line, f.kind) for f in found.findings] == expected
    assert all(f.blocking and f.remedy and len(f.detail) < 300 for f in found.findings)
    assert {f.file for f in found.findings} == {str(corpus / "t.csv")}
    assert [u.id for u in import_corpus(corpus / "t.csv", skip_bad=True)] == ["a"]
    with pytest.raises(CorpusError, match=r"13 recordings can't be used: line 3: gone: missing audio") as caught:
        import_corpus(corpus / "t.csv")
    assert len(caught.value.summary) < 1500


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("eight.wav", 8000, {}),
        ("deep.wav", 16000, {"subtype": "PCM_24"}),
        ("float.wav", 16000, {"subtype": "DOUBLE"}),
        ("a.flac", 44100, {}),
        ("a.mp3", 16000, {}),
        ("a.opus", 48000, {"format": "OGG", "subtype": "OPUS"}),
    ],
)
def test_recordings_of_every_kind(corpus, write, name, rate, options):
    stereo = np.stack([tone(1, rate), tone(1, rate)], axis=1)
    write(name, x=stereo, rate=rate, **options)
    (corpus / "t.csv").write_text(f"{HEADING}\n{name},{size(corpus / name)},hi\n")
    (utterance,) = import_corpus(corpus / "t.csv")
    assert (utterance.sample_rate, utterance.channels) == (rate, 2)
    assert utterance.duration == pytest.approx(1.2, abs=0.1)


@pytest.mark.parametrize("content", [HEADING, f"{HEADING}\n\n\n", f"{HEADING}\nonly\n", f"{HEADING}\n" + "\0" * 5000])
def test_a_table_without_rows_is_one_clear_error(corpus, write, content):
    (corpus / "t.csv").write_text(content)
    with pytest.raises(CorpusError) as caught:
        import_corpus(corpus / "t.csv", skip_bad=True)
    assert "t.csv" in caught.value.summary
    assert "\n" not in caught.value.summary


def test_several_tables_are_one_corpus_with_each_finding_s_file(corpus, write):
    a, b = size(write("one/a.wav")), size(write("two/a.wav"))
    (corpus / "one/train.csv").write_text(f"{HEADING}\na.wav,{a},hi\nx.wav,1,gone\n")
    (corpus / "two/more.csv").write_text(f"{HEADING}\nb.wav,1,gone\na.wav,{b},ho\n")
    names = f"{corpus}/one/train.csv, {corpus}/two/more.csv"
    found = scan(names)
    assert [(u.id, u.text) for u in found.manifest] == [("a", "hi"), ("more/a", "ho")]
    assert [(Path(str(f.file)).name, f.line) for f in found.findings] == [("train.csv", 3), ("more.csv", 2)]
    with pytest.raises(CorpusError, match=r"train\.csv line 3: x: .*more\.csv line 2: b: "):
        import_corpus(names)
    assert len(import_corpus(names, skip_bad=True)) == 2
    with pytest.raises(CorpusError, match="no such file"):
        scan(f"{corpus}/one/train.csv,{corpus}/nowhere.csv")


def test_a_folder_of_several_tables_is_not_guessed_at(corpus, write):
    write("a.wav")
    for name in ("train", "dev"):
        (corpus / f"{name}.csv").write_text(f"{HEADING}\na.wav,1,hi\n")
    with pytest.raises(CorpusError, match=r"2 tables: dev\.csv, train\.csv") as caught:
        scan(corpus)
    assert f"{corpus}/dev.csv,{corpus}/train.csv" in caught.value.remedy
    write("wavs/b.wav")
    (corpus / "metadata.csv").write_text("b|Hello\n")
    assert scan(corpus).importer == "metadata"


COMMON_VOICE = "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tlocale\tsegment"


def test_common_voice(corpus, write):
    for name in "abcd":
        write(f"clips/{name}.mp3")
    rows = [
        COMMON_VOICE,
        "s1\ta.mp3\t1\tHello, you.\t\t2\ten\t",
        's2\tb.mp3\t2\t"Quoted," he said\t\t2\ten\t',
        's2\tc.mp3\t3\t"All ""of"" it"\t\t2\ten\tBenchmark',
        "s1\td.mp3\t4\t \t\t2\ten\t",
        "s1\tgone.mp3\t5\tGone\t\t2\ten\t",
        "s1\tb.mp3\ttoo few",
    ]
    (corpus / "train.tsv").write_text("\n".join(rows), encoding="utf-8")
    found = scan(corpus)
    assert found.importer == "common-voice"
    assert [(u.id, u.text, u.speaker, u.language) for u in found.manifest] == [
        ("a", "Hello, you.", "s1", "en"),
        ("b", '"Quoted," he said', "s2", "en"),
        ("c", 'All "of" it', "s2", "en"),
    ]
    assert [(f.line, f.kind) for f in found.findings] == [(5, "empty text"), (6, "missing audio"), (7, "malformed row")]
    (corpus / "validated.tsv").write_text("\n".join(rows[:2]), encoding="utf-8")
    assert len(scan(corpus).manifest) == 1, "what was validated goes before a part of it"
    assert len(scan(corpus / "train.tsv").manifest) == 3


def test_hugging_face_metadata_csv(corpus, write):
    write("data/a.flac")
    write("b.wav")
    (corpus / "metadata.csv").write_text('file_name,transcription\ndata/a.flac,"Hi, you"\nb.wav,Bye\n')
    found = scan(corpus)
    assert (found.importer, found.findings) == ("hugging-face", ())
    assert [(u.id, u.text) for u in found.manifest] == [("data/a", "Hi, you"), ("b", "Bye")]


def test_hugging_face_metadata_jsonl(corpus, write):
    write("train/a.wav")
    write("train/b.wav")
    lines = [
        json.dumps({"file_name": "a.wav", "text": "Hi\nthere", "speaker_id": 7, "language": "en"}),
        "",
        json.dumps({"file_name": "../../secret.wav", "text": "x"}),
        "{broken",
        "[1]",
        json.dumps({"file_name": 5, "text": "x"}),
        json.dumps({"file_name": "b.wav", "text": ["x"]}),
        "[" * 100_000,
        json.dumps({"file_name": "b.wav", "text": "x" * 2_000_000}),
    ]
    (corpus / "train/metadata.jsonl").write_text("\n".join(lines))
    found = scan(corpus / "train")
    (utterance,) = found.manifest
    assert (utterance.text, utterance.speaker, utterance.language) == ("Hi there", "7", "en")
    assert [(f.line, f.kind) for f in found.findings] == [
        (3, "unsafe path"),
        (4, "malformed row"),
        (5, "malformed row"),
        (6, "malformed row"),
        (7, "empty text"),
        (8, "malformed row"),
        (9, "malformed row"),
    ]
    assert found.manifest == scan(corpus / "train/metadata.jsonl").manifest
    with pytest.raises(CorpusError, match="several parts of a dataset: train") as caught:
        scan(corpus)
    assert str(corpus / "train") in caught.value.remedy


@pytest.mark.parametrize(
    "names", [["dataset_dict.json"], ["state.json", "data-00000-of-00001.arrow"], ["data/train-0.parquet"]]
)
def test_a_saved_dataset_is_refused_with_what_to_do(corpus, write, names):
    for name in names:
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_bytes(b"{}")
    with pytest.raises(CorpusError, match="saved as tables") as caught:
        scan(corpus)
    assert "docs/recognisers.md" in caught.value.remedy
    with pytest.raises(CorpusError, match="saved as tables"):
        scan(corpus / names[-1]) if names[-1].endswith((".arrow", ".parquet")) else scan(corpus)


def test_nothing_is_modified(corpus, write):
    write("a.wav")
    (corpus / "t.csv").write_text(f"{HEADING}\na.wav,1,hi\n")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in corpus.rglob("*")}
    scan(corpus / "t.csv")
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in corpus.rglob("*")} == before


def test_a_link_out_of_the_folder_is_refused(corpus, write):
    outside = write("../outside.wav").resolve()
    os.symlink(outside, corpus / "a.wav")
    (corpus / "t.csv").write_text(f"{HEADING}\na.wav,{size(outside)},hi\n")
    assert kinds(corpus / "t.csv") == [(2, "unsafe path")]
    assert kinds(corpus / "t.csv", follow_links=True) == []
