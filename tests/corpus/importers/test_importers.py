"""Every layout that people have, and what must not be read."""

import hashlib
import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from voxgraft.corpus.importers import Importer, Row, Source, import_corpus, scan
from voxgraft.corpus.importers.cells import split_line
from voxgraft.corpus.importers.columns import find_delimiter, guess_columns, header_columns
from voxgraft.corpus.manifest import Manifest, utterances_in
from voxgraft.errors import CorpusError


def snapshot(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def texts(manifest: Manifest) -> dict[str, str]:
    return {u.id: u.text for u in manifest}


@pytest.mark.parametrize("folder", ["wavs", "wav", "."])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("written", ["a", "a.{suffix}"])
def test_piper_and_ljspeech_folders(corpus, write, folder, suffix, written):
    write(f"{folder}/a.{suffix}", rate=22050)
    (corpus / "metadata.csv").write_text(f"{written.format(suffix=suffix)}|Hello there.\n")
    before = snapshot(corpus)
    (utterance,) = import_corpus(corpus)
    assert (utterance.id, utterance.text, utterance.sample_rate) == ("a", "Hello there.", 22050)
    assert utterance.duration == pytest.approx(1.2, abs=0.2)
    assert Path(utterance.audio).samefile(corpus / folder / f"a.{suffix}")
    assert snapshot(corpus) == before


def test_speakers(corpus, write):
    for name in "abcd":
        write(f"wavs/{name}.wav")
    (corpus / "metadata.csv").write_text("a|ann|One two.\nb|bob|Three four.\nc|ann|Five six.\nd|bob|Seven.\n")
    manifest = import_corpus(corpus)
    assert [u.speaker for u in manifest] == ["ann", "bob", "ann", "bob"]
    assert manifest.speakers == ("ann", "bob")
    assert texts(manifest)["d"] == "Seven."


def test_ljspeech_takes_the_normalised_column(corpus, write):
    for name in "abc":
        write(f"wavs/{name}.wav")
    (corpus / "metadata.csv").write_text("a|Dr. Who|Doctor Who\nb|So what?|So what?\nc|Only raw text\n")
    assert texts(import_corpus(corpus)) == {"a": "Doctor Who", "b": "So what?", "c": "Only raw text"}


def test_one_word_texts_are_not_taken_for_speakers(corpus, write):
    for name in "abcd":
        write(f"wavs/{name}.wav")
    (corpus / "metadata.csv").write_text("a|Yes|Yes\nb|No|No\nc|Yes|yes\nd|2|two\n")
    manifest = import_corpus(corpus)
    assert manifest.speakers == ()
    assert texts(manifest)["d"] == "two"


def test_columns_can_be_named(corpus, write):
    write("wavs/a.wav")
    (corpus / "metadata.csv").write_text("a|x|ann|Hi\n")
    (utterance,) = import_corpus(corpus, columns=("id", "skip", "speaker", "text"))
    assert (utterance.speaker, utterance.text) == ("ann", "Hi")
    with pytest.raises(CorpusError, match="columns"):
        import_corpus(corpus, columns=("id", "speaker"))


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("a\tHi, you; there\nb\tBye\n", "tabs"),
        ("a;Hi, you\nb;Bye\n", ";"),
        ("a,Hi you\nb,Bye, all of you\n", ","),
        ('file,text\na,"Hi, ""you"""\nb,Bye\n', ","),
        ("file_name|transcription|speaker_id\na|Hi|x\nb|Bye|x\n", None),
    ],
)
def test_other_delimiters_and_headings(corpus, write, content, note):
    write("wavs/a.wav")
    write("wavs/b.wav")
    (corpus / "metadata.csv").write_text(content)
    found = scan(corpus)
    assert len(found.manifest) == 2
    assert texts(found.manifest)["a"].startswith("Hi")
    assert texts(found.manifest)["b"].startswith("Bye")
    assert '""' not in texts(found.manifest)["a"]
    assert [f.kind for f in found.findings] == (["delimiter"] if note else [])
    assert all(note in f.detail for f in found.findings)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(corpus, write, encoding, ends):
    write("wavs/a.wav")
    write("wavs/b.wav")
    (corpus / "metadata.csv").write_bytes(f"a|Grüße aus Łódź{ends}b|Привет{ends}".encode(encoding))
    assert texts(import_corpus(corpus)) == {"a": "Grüße aus Łódź", "b": "Привет"}


def test_a_folder_of_recordings_and_texts(corpus, write):
    write("ann/one.flac")
    write("bob/two.wav")
    (corpus / "ann/one.txt").write_text("\ufeffHello\nthere \n", encoding="utf-8")
    (corpus / "bob/two.txt").write_text("Bye", encoding="utf-16")
    write("bob/three.wav")
    found = scan(corpus)
    assert [(u.id, u.speaker, u.text) for u in found.manifest] == [
        ("ann/one", "ann", "Hello there"),
        ("bob/two", "bob", "Bye"),
    ]
    assert [(f.clip, f.kind) for f in found.findings] == [("bob/three", "empty text")]


def test_a_manifest_is_read_back(corpus, write, tmp_path):
    write("wavs/a.wav")
    (corpus / "metadata.csv").write_text("a|Line\u2028separator \x85 inside\n", encoding="utf-8")
    manifest = import_corpus(corpus)
    manifest.write(tmp_path / "project/manifest.jsonl")
    assert import_corpus(tmp_path / "project") == manifest
    assert Manifest.read(tmp_path / "project/manifest.jsonl") == manifest


def test_bad_rows_are_named_by_line_and_can_be_skipped(corpus, write):
    for name in "abh":
        write(f"wavs/{name}.wav")
    (corpus / "wavs/broken.wav").write_bytes(b"RIFF")
    lines = [
        "a|Hi",
        "b|",
        "missing|Text",
        "a|Again",
        "broken|Text",
        "only one column",
        "h|Hi|there|you",
        "",
        "|No name",
        "\xff|x",
    ]
    (corpus / "metadata.csv").write_bytes("\n".join(lines).encode("latin-1"))
    found = scan(corpus)
    assert [(f.line, f.kind) for f in found.findings] == [
        (2, "empty text"),
        (3, "missing audio"),
        (4, "duplicate id"),
        (5, "unreadable audio"),
        (6, "malformed row"),
        (7, "malformed row"),
        (9, "malformed row"),
        (10, "malformed row"),
    ]
    assert all(f.blocking and f.remedy for f in found.findings)
    with pytest.raises(CorpusError, match=r"8 recordings can't be used: line 2: b: empty text") as caught:
        import_corpus(corpus)
    assert "--skip-bad" in caught.value.remedy
    assert [u.id for u in import_corpus(corpus, skip_bad=True)] == ["a"]


@pytest.mark.parametrize(
    "name", ["../../secret", "../in2/secret", "..\\..\\secret", "wavs/../../secret", "/etc/passwd", "C:\\x"]
)
def test_names_that_lead_out_of_the_folder_are_refused(corpus, write, tmp_path, name):
    write("wavs/a.wav")
    os.rename(write("../secret.wav"), tmp_path / "secret.wav")
    (corpus / "metadata.csv").write_text(f"{name}|Text\na|Hi\n")
    found = scan(corpus)
    assert [(f.kind, f.line) for f in found.findings] == [("unsafe path", 1)]
    assert [u.id for u in found.manifest] == ["a"]


def test_an_absolute_name_is_refused_even_where_the_file_exists(corpus, write, tmp_path):
    outside = write("../outside.wav")
    (corpus / "metadata.csv").write_text(f"{outside.resolve()}|Text\n")
    with pytest.raises(CorpusError, match="unsafe path"):
        import_corpus(corpus)


def test_links_out_of_the_folder_are_refused_unless_asked_for(corpus, write, tmp_path):
    outside = write("../outside.wav")
    (corpus / "wavs").mkdir()
    (corpus / "wavs/a.wav").symlink_to(outside.resolve())
    (corpus / "metadata.csv").write_text("a|Text\n")
    with pytest.raises(CorpusError, match="link out of the corpus folder"):
        import_corpus(corpus)
    assert len(import_corpus(corpus, follow_links=True)) == 1


def test_a_text_that_is_a_link_out_of_the_folder_is_refused(corpus, write, tmp_path):
    (tmp_path / "secret").write_text("password")
    write("a.wav")
    (corpus / "a.txt").symlink_to(tmp_path / "secret")
    found = scan(corpus)
    assert [f.kind for f in found.findings] == ["unsafe path"]
    assert not found.manifest.utterances


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n\n", b"no columns here\nnone\n", os.urandom(3000), b"\0" * 5000, b"a|\0\0\n", b"x" * 3_000_000],
)
def test_metadata_that_is_none_is_one_clear_error(corpus, write, content):
    write("wavs/a.wav")
    (corpus / "metadata.csv").write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        import_corpus(corpus)
    assert "metadata.csv" in caught.value.summary or str(corpus) in caught.value.summary
    assert "\n" not in caught.value.summary
    assert len(caught.value.summary) < 1000


def test_a_line_without_end_is_one_bad_row(corpus, write):
    write("wavs/a.wav")
    (corpus / "metadata.csv").write_text("a|Hi\n" + "b|" + "x" * 5_000_000 + "\n" + "a|Again\n")
    found = scan(corpus)
    assert [(f.line, f.kind) for f in found.findings] == [(2, "malformed row"), (3, "duplicate id")]


@pytest.mark.parametrize(
    "line", ["[]", '{"id": "a"}', '{"id": 1', '{"id":"a","audio":"x","text":"t","duration":1,"sample_rate":1,"evil":1}']
)
def test_a_hostile_manifest_is_refused(tmp_path, line):
    (tmp_path / "manifest.jsonl").write_text(line + "\n")
    with pytest.raises(CorpusError, match="line 1"):
        import_corpus(tmp_path)


@pytest.mark.parametrize("field", ["id", "audio", "text", "speaker"])
def test_a_manifest_with_values_of_the_wrong_type_is_refused(tmp_path, field):
    record = {"id": "a", "audio": "a.wav", "text": "Hi", "duration": 1.0, "sample_rate": 16000} | {field: {"x": 1}}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(CorpusError, match=field):
        import_corpus(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        import_corpus(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="no corpus found"):
        import_corpus(tmp_path)


def test_many_lines_are_quick(corpus, write):
    write("wavs/a.wav")
    with open(corpus / "metadata.csv", "w") as file:
        file.write("a|Hi\n")
        file.writelines(f"clip{number}|Some text of usual length, as people say it\n" for number in range(50_000))
    began = time.process_time()
    found = scan(corpus)
    assert time.process_time() - began < 20
    assert len(found.manifest) == 1
    assert len(found.findings) == 50_000


def test_a_third_party_importer_comes_first(corpus, write, monkeypatch):
    path = write("wavs/a.wav")

    def find(folder: Path) -> Path | None:
        return folder

    def read(folder: Path, columns: tuple[str, ...] | None) -> Source:
        return Source(iter([Row("theirs", "a", "Text")]), folder)

    class Point:
        def load(self) -> Importer:
            return Importer("theirs", find, read)

    monkeypatch.setattr("voxgraft.corpus.importers.entry_points", lambda group: [Point()])
    found = scan(corpus)
    assert found.importer == "theirs"
    assert found.manifest.utterances[0].audio == str(path)


def test_column_rules():
    assert find_delimiter(["a|b, c", "d|e; f"]) == "|"
    assert find_delimiter(["hello"]) is None
    assert find_delimiter([]) is None
    assert header_columns(["Audio_File", "text", "speaker_name", "other"]) == ("id", "text", "speaker", "skip")
    assert header_columns(["a", "hello"]) is None
    assert guess_columns([["a"]], "|") is None
    assert split_line('a|He said "no|', "|") == ["a", 'He said "no', ""]
    assert split_line("a,b,c", ",", 2) == ["a", "b,c"]


def line(**changes) -> str:
    record = {"id": "a", "audio": "wavs/a.wav", "text": "Hi", "duration": 1.0, "sample_rate": 16000}
    return json.dumps(record | changes)


@pytest.mark.parametrize("depth", [10_000, 200_000])
@pytest.mark.parametrize("kind", ["[", '{"a":'])
def test_a_deep_line_of_a_manifest_is_one_clear_error(tmp_path, depth, kind):
    (tmp_path / "manifest.jsonl").write_text(kind * depth)
    with pytest.raises(CorpusError, match="line 1: not an utterance") as caught:
        import_corpus(tmp_path)
    assert "nested too deeply" in caught.value.summary


def test_a_pipe_in_a_recordings_place_is_told_as_one(tmp_path):
    (tmp_path / "wavs").mkdir()
    os.mkfifo(tmp_path / "wavs" / "a.wav")
    (tmp_path / "metadata.csv").write_text("a|Hello there.\n")
    with pytest.raises(CorpusError, match=r"a: unreadable audio \(is not a file that holds sound\)"):
        import_corpus(tmp_path)


def test_a_wide_value_of_a_manifest_is_not_written_out(tmp_path):
    (tmp_path / "manifest.jsonl").write_text(line(text=[["x"] * 1000] * 100))
    with pytest.raises(CorpusError, match="text is a list"):
        import_corpus(tmp_path)


@pytest.mark.parametrize(
    ("written", "speaker"), [(3, "3"), (0, "0"), (3.0, "3"), (float("nan"), None), (None, None), ("3", "3")]
)
def test_numbers_of_speakers_are_names(corpus, write, written, speaker):
    write("wavs/a.wav")
    (corpus / "manifest.jsonl").write_text(line(speaker=written, id=7))
    assert [(u.id, u.speaker) for u in import_corpus(corpus)] == [("7", speaker)]
    assert [u.speaker for u in Manifest.read(corpus / "manifest.jsonl")] == [speaker]
    (corpus / "manifest.jsonl").unlink()
    (corpus / "metadata.jsonl").write_text(json.dumps({"file_name": "wavs/a.wav", "text": "Hi", "speaker_id": written}))
    assert [u.speaker for u in import_corpus(corpus)] == [speaker]


def test_a_manifest_is_read_row_by_row_in_little_memory(corpus, write):
    path = corpus / "manifest.jsonl"
    with open(path, "w") as file:
        file.writelines(line(id=str(n), text="word " * 2000) + "\n" for n in range(3000))
    tracemalloc.start()
    for _ in utterances_in(path):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 30_000_000
    assert most < 10_000_000


@pytest.mark.parametrize("name", ["manifest.jsonl", "metadata.csv", "metadata.jsonl", "t.csv"])
def test_a_table_of_any_kind_has_bounds_and_never_blocks(corpus, write, name):
    path = corpus / name
    with open(path, "wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(CorpusError, match="too large"):
        scan(path)
    path.unlink()
    os.mkfifo(path)
    for given in (path, corpus):
        with pytest.raises(CorpusError):
            scan(given)


def test_a_table_of_nothing_but_lines_is_refused_in_a_moment(corpus, write, monkeypatch):
    monkeypatch.setattr("voxgraft.corpus.lines.MOST_LINES", 1000)
    (corpus / "metadata.csv").write_text("a|Hi\n" + "\n" * 2000)
    with pytest.raises(CorpusError, match="over 1000 lines"):
        scan(corpus)


def test_rows_without_end_that_can_not_be_used_are_one_error(corpus, write, monkeypatch):
    monkeypatch.setattr("voxgraft.corpus.importers.MOST_FINDINGS", 100)
    (corpus / "metadata.csv").write_text("".join(f"clip{n}|Text {n}.\n" for n in range(500)))
    with pytest.raises(CorpusError, match="over 100 rows can't be used"):
        scan(corpus)


def test_half_a_character_is_a_bad_row(corpus, write):
    write("wavs/a.wav")
    (corpus / "manifest.jsonl").write_text(line(text="\ud800 Hi"))
    assert [f.kind for f in scan(corpus).findings] == ["malformed row"]


def test_a_name_that_is_not_utf_8_goes_through_a_manifest(corpus, write, tmp_path):
    os.rename(write("a.wav"), os.fsencode(corpus) + b"/\xff.wav")
    Path(os.fsdecode(os.fsencode(corpus) + b"/\xff.txt")).write_text("Hello there")
    manifest = import_corpus(corpus)
    manifest.write(tmp_path / "manifest.jsonl")
    assert Manifest.read(tmp_path / "manifest.jsonl") == manifest
    assert Path(manifest.utterances[0].audio).is_file()
