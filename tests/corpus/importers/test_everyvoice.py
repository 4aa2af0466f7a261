"""EveryVoice's filelists and preprocessed folders: texts, speakers, languages and the split are kept."""

import csv
from dataclasses import replace

import pytest

from voxgraft.corpus.importers import import_corpus, scan
from voxgraft.corpus.importers.everyvoice import split_cells
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.split import split
from voxgraft.errors import CorpusError

HEADING = "basename|language|speaker|characters|character_tokens|phones|phone_tokens|label\n"


def row(name: str, text: str = "Hi there", speaker: str = "ann", language: str = "moh") -> str:
    return f"{name}|{language}|{speaker}|{text}|H/i|||data\n"


def preprocessed(write, folder: str, name: str, speaker: str = "ann", language: str = "moh", rate: int = 22050):
    write(f"{folder}audio/{name}--{speaker}--{language}--audio-{rate}.wav", rate=rate)


def test_a_filelist_keeps_texts_speakers_and_languages(corpus, write):
    write("wavs/a.wav")
    write("wavs/b.wav")
    (corpus / "data-filelist.psv").write_text(
        HEADING + row("a", r"Ça \| va \"bien\" \\") + row("b", speaker="bob", language="fr")
    )
    found = scan(corpus)
    assert found.importer == "everyvoice"
    first, second = found.manifest
    assert (first.id, first.text, first.speaker, first.language) == ("a", 'Ça | va "bien" \\', "ann", "moh")
    assert (second.speaker, second.language, second.part) == ("bob", "fr", None)


def test_what_csv_escapes_is_read_as_it_was(tmp_path):
    cells = ["a|b", "c\\d", 'e "f"', "", "g/<SLASH>"]
    with open(tmp_path / "x", "w") as file:
        csv.writer(file, delimiter="|", quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="\n").writerow(cells)
    assert split_cells((tmp_path / "x").read_text().rstrip("\n")) == cells


@pytest.mark.parametrize("folder", ["", "preprocessed/"])
def test_a_preprocessed_folder_keeps_its_split(corpus, write, tmp_path, folder):
    for name in "abcd":
        preprocessed(write, folder, name)
    preprocessed(write, folder, "a", rate=16000)
    lists = {"training_filelist.psv": "cab", "validation_filelist.psv": "d", "filelist.psv": "abcd"}
    for name, ids in lists.items():
        (corpus / folder / name).write_text(HEADING + "".join(row(i, f"Text {i}") for i in ids))
    manifest = import_corpus(corpus)
    assert [(u.id, u.part) for u in manifest] == [
        ("c", "training"),
        ("a", "training"),
        ("b", "training"),
        ("d", "validation"),
    ]
    assert {u.sample_rate for u in manifest} == {22050}
    manifest.write(tmp_path / "manifest.jsonl")
    again = import_corpus(tmp_path / "manifest.jsonl")
    assert again == manifest == Manifest.read(tmp_path / "manifest.jsonl")
    parts = split(again, 8)
    assert [u.id for u in parts.train] == ["c", "a", "b"]
    assert [u.id for u in parts.validation] == ["d"]


def test_utterances_for_testing_are_held_out(corpus, write):
    for name in "abc":
        write(f"wavs/{name}.wav")
    (corpus / "metadata.csv").write_text("a|One\nb|Two\nc|Three\n")
    manifest = import_corpus(corpus)
    given = Manifest(tuple(replace(u, part="test" if u.id == "b" else None) for u in manifest))
    assert [u.id for u in split(given, 0).held_out] == ["b"]


def test_names_that_nobody_gave_are_none(corpus, write):
    preprocessed(write, "", "a", "default", "default")
    (corpus / "filelist.psv").write_text(HEADING + row("a", speaker="default", language="default"))
    (only,) = import_corpus(corpus)
    assert (only.id, only.speaker, only.language) == ("a", None, None)


def test_the_default_speaker_beside_others_keeps_that_name(corpus, write):
    for speaker in ("default", "bob"):
        preprocessed(write, "", speaker, speaker, "default")
    (corpus / "filelist.psv").write_text(
        HEADING + row("default", speaker="default", language="default") + row("bob", speaker="bob", language="default")
    )
    assert [(u.speaker, u.language) for u in import_corpus(corpus)] == [("default", None), ("bob", None)]


def test_two_recordings_of_one_name_are_told_apart_by_their_speakers(corpus, write):
    for speaker in ("ann", "bob"):
        preprocessed(write, "", "a", speaker)
    (corpus / "filelist.psv").write_text(HEADING + row("a", speaker="ann") + row("a", speaker="bob"))
    assert [(u.id, u.speaker) for u in import_corpus(corpus)] == [("a--ann--moh", "ann"), ("a--bob--moh", "bob")]


def test_phones_are_the_text_where_there_are_no_characters(corpus, write):
    write("wavs/a.wav")
    (corpus / "list.psv").write_text("basename|phones\na|t e s t\n")
    assert import_corpus(corpus / "list.psv").utterances[0].text == "t e s t"


def test_missing_recordings_are_one_error_that_lists_them(corpus, write):
    write("wavs/a.wav")
    (corpus / "list.psv").write_text(HEADING + row("a") + row("gone") + row("lost"))
    with pytest.raises(
        CorpusError, match=r"list\.psv: 2 recordings can't be used: line 3: gone: missing audio.*line 4: lost"
    ):
        import_corpus(corpus / "list.psv")


@pytest.mark.parametrize(
    ("line", "problem"), [("a|moh|ann\n", "expected 8 columns"), ("|moh|ann|Hi||||\n", "no name of a recording")]
)
def test_rows_that_can_t_be_read_name_their_line(corpus, write, line, problem):
    (corpus / "list.psv").write_text(HEADING + line)
    with pytest.raises(CorpusError, match=rf"line 2: list: malformed row \({problem}"):
        import_corpus(corpus / "list.psv")


def test_several_filelists_are_named(corpus, write):
    for name in ("a.psv", "b.psv"):
        (corpus / name).write_text(HEADING)
    with pytest.raises(CorpusError, match=r"holds 2 filelists: a\.psv, b\.psv"):
        import_corpus(corpus)


def test_an_unknown_part_in_a_manifest_is_told(tmp_path):
    (tmp_path / "manifest.jsonl").write_text(
        '{"id": "a", "audio": "a.wav", "text": "A", "duration": 1, "sample_rate": 8000, "part": "dev"}\n'
    )
    with pytest.raises(CorpusError, match="part is 'dev', none of training, validation, test"):
        Manifest.read(tmp_path / "manifest.jsonl")
