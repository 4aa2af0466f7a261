"""Tables as people have them: which column is what is said, quoted cells, names, encodings, kinds of sound."""

import os
import shlex
import unicodedata
from pathlib import Path

import pytest
import soundfile
from tests.corpus.tones import tone

from voxgraft.corpus.importers import import_corpus, scan
from voxgraft.corpus.importers.columns import guess_columns
from voxgraft.errors import CorpusError

TEXTS = ("Please open the door.", "The night was very dark.", "We sailed at dawn.", "Nobody knew his name.",
         "It rained for three days.", "They sang an old song.")  # fmt: skip


def clips(write, count: int, folder: str = "wavs") -> list[Path]:
    return [write(f"{folder}/c{number}.wav") for number in range(count)]


def table(corpus: Path, *rows: str, name: str = "metadata.csv") -> Path:
    (corpus / name).write_text("\n".join(rows), encoding="utf-8")
    return corpus / name


def read(path: Path, **options) -> list[tuple[str, str, str | None]]:
    return [(u.id, u.text, u.speaker) for u in scan(path, **options).manifest]


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("c{n}|{text}|0", ("id", "text", "speaker")),
        ("c{n}|{text}|{name}", ("id", "text", "speaker")),
        ("wavs/c{n}.wav|{text}|{name}", ("id", "text", "speaker")),
        ("c{n}|0|{text}", ("id", "speaker", "text")),
        ("c{n}|{name}|{text}", ("id", "speaker", "text")),
        ("c{n}|{full}|{text}", ("id", "speaker", "text")),
        ("c{n}|{text}|{full}", ("id", "text", "speaker")),
        ("c{n}|{text}|{upper}", ("id", "text", "normalised")),
        ("c{n}|{name}|{text}|{upper}", ("id", "speaker", "text", "normalised")),
        ("c{n}|{text}|{upper}|{name}", ("id", "text", "normalised", "speaker")),
        ("c{n}|{text}|2.{n}", ("id", "text", "skip")),
        ("c{n}|{text}|", ("id", "text", "skip")),
        ("{text}|wavs/c{n}.wav", ("text", "id")),
        ("{text}|{name}|c{n}.wav", ("text", "speaker", "id")),
        ("c{n}|你好世界再见朋友{n}|甲", ("id", "text", "speaker")),
        ("c{n}|{text}|{other}", None),
        ("c{n}|{name}|{full}", None),
        ("c{n}|{text}|{name}|0", None),
        ("c{n}|yes|{name}", None),
    ],
)
def test_a_column_is_what_is_said_only_where_that_can_be_told(row, columns):
    rows = [
        row.format(n=n, text=text, upper=text.upper(), other=TEXTS[n - 1], name=("bob", "anna")[n % 2],
                   full=("Bob Hill", "Anna May Lee")[n % 2]).split("|")
        for n, text in enumerate(TEXTS)
    ]  # fmt: skip
    assert guess_columns(rows, "|") == columns


def test_a_list_of_styletts2(corpus, write):
    clips(write, 6)
    table(corpus, *(f"wavs/c{n}.wav|{t}|{'anna' if n % 2 else 'bob'}" for n, t in enumerate(TEXTS)), name="list.txt")
    assert read(corpus / "list.txt")[:2] == [("c0", TEXTS[0], "bob"), ("c1", TEXTS[1], "anna")]


def test_where_columns_can_not_be_told_they_are_asked_for(corpus, write):
    clips(write, 6)
    table(corpus, *(f"c{n}|{t}|{TEXTS[n - 1]}" for n, t in enumerate(TEXTS)))
    with pytest.raises(CorpusError, match=r"which column is what is said.*got c0 \| Please open the door\.") as caught:
        scan(corpus)
    assert "--columns id,text,speaker" in caught.value.remedy
    assert read(corpus, columns=("id", "skip", "text"))[0] == ("c0", TEXTS[-1], None)


@pytest.mark.parametrize("heading", ["clip_path,said", "Dateiname,Text", "nom,phrase", "uri,text"])
def test_headings_that_are_not_known_are_no_data(corpus, write, heading):
    clips(write, 4)
    table(corpus, heading, *(f"c{n},This is it" for n in range(4)))
    with pytest.raises(CorpusError, match="looks like headings that are not known") as caught:
        scan(corpus)
    assert "--columns id,text" in caught.value.remedy
    assert [row[0] for row in read(corpus, columns=("id", "text"))] == ["c0", "c1", "c2", "c3"]


def test_a_first_row_whose_recording_is_missing_is_no_heading(corpus, write):
    clips(write, 4)
    table(corpus, *(f"c{n}|This is it" for n in (9, 0, 1, 2)))
    assert [f.kind for f in scan(corpus).findings] == ["missing audio"]


@pytest.mark.parametrize("delimiter", ["|", ",", "\t", ";"])
def test_quoted_cells(corpus, write, delimiter):
    clips(write, 4)
    rows = [f'"c{n}"{delimiter}"This {delimiter} is ""it"" {n}."' for n in range(4)]
    table(corpus, *rows)
    shown = " ".join(f'This {delimiter} is "it" 0.'.split())
    assert read(corpus)[0] == ("c0", shown, None)


def test_cells_that_double_their_quotes(corpus, write):
    clips(write, 2)
    table(corpus, 'c0|"He said ""hi"""', 'c1|"Hello," he said.')
    assert [text for _, text, _ in read(corpus)] == ['He said "hi"', '"Hello," he said.']


@pytest.mark.parametrize("quoted", ['"c{n}"', "c{n}"])
@pytest.mark.parametrize("delimiter", ["|", ","])
@pytest.mark.parametrize("heading", ["", "file_name{d}text", "wav_filename{d}transcript"])
def test_a_quoted_cell_goes_on_in_the_next_line(corpus, write, quoted, delimiter, heading):
    clips(write, 3)
    rows = [f'{quoted.format(n=n)}{delimiter}"This is sentence {n}\nand it\n\ngoes on here."' for n in range(3)]
    table(corpus, *([heading.format(d=delimiter)] if heading else []), *rows)
    assert [text for _, text, _ in read(corpus)] == [f"This is sentence {n} and it goes on here." for n in range(3)]


def test_a_row_that_is_cut_at_a_line_break_is_never_taken_for_whole(corpus, write):
    clips(write, 3)
    table(corpus, "c0|Fine.", 'c1|"This is one', "and it goes on", "c2|Fine too.")
    found = scan(corpus)
    assert [u.id for u in found.manifest] == ["c0", "c2"]
    assert [(f.line, f.kind) for f in found.findings] == [(2, "malformed row"), (3, "malformed row")]


def test_speech_that_goes_on_in_the_next_clip_stays_two_clips(corpus, write):
    clips(write, 3)
    table(corpus, 'c0|"I went there', 'c1|and back."', "c2|So.")
    assert [text for _, text, _ in read(corpus)] == ['"I went there', 'and back."', "So."]


@pytest.mark.parametrize("heading", [(), ("wav_filename,transcript",), ("file_name,text",)])
def test_absolute_names_inside_the_folder(corpus, write, tmp_path, heading):
    clips(write, 2)
    os.symlink(corpus, tmp_path / "link")
    delimiter = "," if heading else "|"
    for root in (corpus, corpus.resolve(), tmp_path / "link"):
        table(corpus, *heading, *(f"{root}/wavs/c{n}.wav{delimiter}This is it {n}." for n in range(2)))
        for given in (corpus, tmp_path / "link"):
            if root != tmp_path / "link" or given == root:
                assert [name for name, _, _ in read(given)] == ["c0", "c1"]


def test_a_table_that_is_a_link_names_what_lies_beside_its_file(corpus, write, tmp_path):
    clips(write, 2)
    table(corpus, "wav_filename,transcript", f"{corpus}/wavs/c0.wav,one", "wavs/c1.wav,two", name="train.csv")
    (tmp_path / "work").mkdir()
    os.symlink(corpus / "train.csv", tmp_path / "work/my-train.csv")
    assert [name for name, _, _ in read(tmp_path / "work/my-train.csv")] == ["c0", "c1"]


def test_a_linked_folder_is_part_of_the_corpus(corpus, write, tmp_path):
    write("../disk/c0.wav")
    os.symlink(tmp_path / "disk", corpus / "wavs")
    table(corpus, "c0|Hello there.")
    assert [name for name, _, _ in read(corpus)] == ["c0"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Žluťoučký", "größe/Ünter", "한국어"])
def test_names_in_either_normal_form(corpus, write, form, written, name):
    write(unicodedata.normalize(form, f"wavs/{name}.wav"))
    for root in ("", f"{corpus}/wavs/"):
        table(corpus, f"{root}{unicodedata.normalize(written, name)}.wav|Hello there.")
        (utterance,) = scan(corpus).manifest
        assert Path(utterance.audio).is_file()


def test_sounds_of_one_name_are_two_recordings(corpus, write):
    write("wavs/a.wav")
    write("wavs/a.flac")
    write("clips/a.wav")
    table(corpus, "a.flac|One more.", "a.wav|Two more.", "clips/a.wav|Three.", "a.wav|Four.")
    found = scan(corpus)
    assert [(u.id, u.text) for u in found.manifest] == [("a", "One more."), ("a.wav", "Two more.")] + [
        ("clips/a.wav", "Three.")
    ] * (found.manifest.utterances[-1].id == "clips/a.wav")
    assert found.findings[-1].kind == "duplicate id"


@pytest.mark.parametrize(("suffix", "format"), [("au", "AU"), ("caf", "CAF"), ("w64", "W64"), ("oga", "OGG")])
@pytest.mark.parametrize("written", ["c", "c.{suffix}"])
def test_every_kind_of_sound_that_is_read(corpus, suffix, format, written):
    (corpus / "wavs").mkdir(parents=True, exist_ok=True)
    soundfile.write(corpus / f"wavs/c.{suffix}", tone(1), 16000, format=format)
    table(corpus, f"{written.format(suffix=suffix)}|Hello there.")
    assert [name for name, _, _ in read(corpus)] == ["c"]


@pytest.mark.parametrize("name", ["b.m4a", "b.webm", "b.xyz"])
@pytest.mark.parametrize("paired", [False, True])
def test_a_recording_of_a_kind_that_is_not_read_is_not_missing(corpus, write, name, paired):
    write("wavs/a.wav")
    folder = corpus if paired else corpus / "wavs"
    (folder / name).write_bytes(b"\0\0\0\x20ftypM4A " * 40)
    if paired:
        (corpus / "b.txt").write_text("Hello")
    else:
        table(corpus, f"{name}|Hello there.")
    if paired and name.endswith("xyz"):
        return
    finding = next(f for f in scan(corpus).findings if f.clip.startswith("b"))
    assert (finding.kind, finding.clip.split(".")[0]) == ("unreadable audio", "b")
    assert "is not audio that can be read" in finding.detail
    assert shlex.join(["ffmpeg", "-i", str(folder / name), str(folder / "b.wav")]) in finding.remedy


WESTERN = {"de": "Grüße aus Köln – schön, daß…", "fr": "L’œuvre « déjà vue » à Noël", "es": "¿Qué año? ¡Señor!"}


@pytest.mark.parametrize("text", WESTERN.values())
@pytest.mark.parametrize("layout", ["metadata.csv", "t.csv", "paired"])
def test_latin_1_is_read_where_it_can_be_told(corpus, write, text, layout):
    clips(write, 3, "." if layout == "paired" else "wavs")
    rows = [f"c0|{text}", "c1|Plain text.", "c2|Plain too."]
    if layout == "t.csv":
        rows = ["wav_filename|transcript", *rows]
    (corpus / layout).write_bytes("\n".join(rows).encode("cp1252")) if layout != "paired" else [
        (corpus / f"c{n}.txt").write_bytes(row[3:].encode("cp1252")) for n, row in enumerate(rows)
    ]
    found = scan(corpus if layout != "t.csv" else corpus / layout)
    assert {u.text for u in found.manifest} >= {text}
    assert found.findings[0].kind == "encoding"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет, как дела", "cp1251"),
        ("Привет, как дела", "koi8-r"),
        ("Zażółć gęślą jaźń", "cp1250"),
        ("Příliš žluťoučký kůň", "cp1250"),
        ("Árvíztűrő tükörfúrógép", "cp1250"),
        ("Pijamalı hasta yağız şoföre çabucak güvendi", "cp1254"),
        ("日本語のテキスト", "shift-jis"),
        ("Grün ist schön, é", "mac-roman"),
        ("Grün ist schön, é", "cp850"),
    ],
)
def test_another_encoding_is_named_and_never_guessed_at(corpus, write, text, encoding):
    clips(write, 2)
    (corpus / "metadata.csv").write_bytes(f"c0|{text}\nc1|{text}\n".encode(encoding))
    with pytest.raises(CorpusError, match="is not UTF-8 text") as caught:
        scan(corpus)
    assert "iconv" in caught.value.remedy


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["Привет, как дела", "日本語のテキスト。", "Zażółć gęślą"])
def test_utf_16_without_a_mark_in_any_script(corpus, write, encoding, text):
    clips(write, 2)
    (corpus / "metadata.csv").write_bytes(f"c0|{text}\nc1|{text}".encode(encoding))
    assert [row[1] for row in read(corpus)] == [text, text]


def test_one_bad_line_of_utf_8_is_one_bad_row(corpus, write):
    clips(write, 3)
    (corpus / "metadata.csv").write_bytes("c0|Grüße\n".encode() + b"c1|Gr\xfc\xdfe\n" + "c2|Schön\n".encode())
    assert [(f.line, f.kind) for f in scan(corpus).findings] == [(2, "malformed row")]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\x1f\x8b\x08\0\0\0\0\0", "gunzip"), (b"BZh91AY&SY", "bunzip2"), (b"PK\x03\x04\x14\0\0\0", "CSV")],
)
@pytest.mark.parametrize("name", ["metadata.csv", "t.csv.gz"])
def test_a_packed_table_is_told_as_such(corpus, write, content, told, name):
    (corpus / name).write_bytes(content * 100)
    with pytest.raises(CorpusError, match=r"compressed|archive") as caught:
        scan(corpus / name)
    assert told in caught.value.remedy


def test_a_pipe_and_an_endless_file_are_no_tables(corpus, write):
    os.mkfifo(corpus / "metadata.csv")
    for path in (corpus / "metadata.csv", Path("/dev/zero")):
        with pytest.raises(CorpusError, match="is not a file"):
            scan(path)
    with pytest.raises(CorpusError):
        import_corpus(corpus)


def test_a_table_without_bounds_is_refused_at_once(corpus, write):
    with open(corpus / "metadata.csv", "wb") as file:
        file.write(b"c0|Hello\n")
        file.truncate(3 << 30)
    with pytest.raises(CorpusError, match="is too large for a table"):
        scan(corpus)
