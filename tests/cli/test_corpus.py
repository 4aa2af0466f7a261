"""`voxgraft corpus`: exit codes, one JSON document on stdout, files where they belong."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxgraft.cli import main as command


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two good clips and one whose recording is missing."""
    monkeypatch.chdir(tmp_path)
    wavs = tmp_path / "mine/wavs"
    wavs.mkdir(parents=True)
    for number in range(2):
        tone = 0.3 * np.sin(np.arange(32000) * (0.1 + number / 50))
        soundfile.write(wavs / f"{number}.wav", np.concatenate([np.zeros(1600), tone, np.zeros(1600)]), 16000)
    (tmp_path / "mine/metadata.csv").write_text("0|Hello there\n1|How are you\n2|Gone\n")
    return tmp_path / "mine"


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["voxgraft", "corpus", *arguments])
    try:
        command.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_bad_row_stops_the_import_with_one_line(corpus, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "import", str(corpus))
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "line 3: 2: missing audio" in err
    assert "Traceback" not in err
    assert not os.path.exists("corpus")


def test_import_skips_bad_rows_when_told(corpus, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "import", str(corpus), "--skip-bad", "--into", "project", "--json")
    assert code == 0
    assert json.loads(out) == {"manifest": "project/manifest.jsonl", "clips": 2, "seconds": 4.4}
    assert "left out: line 3: 2: missing audio" in err
    assert len(Path("project/manifest.jsonl").read_text().splitlines()) == 2
    code, _, _ = run(monkeypatch, capsys, "check", "project")
    assert code == 0
    assert os.path.isfile("project/check.html")


def test_import_says_what_came_out_and_what_comes_next(corpus, monkeypatch, capsys):
    (corpus / "metadata.csv").write_text("0|Hello there.|ann\n1|How are you?|ann\n")
    _, _, err = run(monkeypatch, capsys, "import", str(corpus), "--into", "my corpus")
    assert err.splitlines() == [
        "2 clips, 0.1 minutes, 1 speaker (ann), written to my corpus/manifest.jsonl",
        "the first is 0: 'Hello there.', said by ann",
        "Next:",
        "  voxgraft corpus check 'my corpus'",
        "  voxgraft new MY-VOICE --corpus 'my corpus'",
    ]
    Path("voxgraft.yaml").write_text("")
    _, _, err = run(monkeypatch, capsys, "import", str(corpus))
    assert err.splitlines()[-2:] == ["  voxgraft corpus check .", "  voxgraft plan ."]


def test_check_names_clips_and_exits_1(corpus, monkeypatch, capsys):
    before = sorted(p.name for p in corpus.rglob("*"))
    code, out, _ = run(monkeypatch, capsys, "check", str(corpus), "--json")
    document = json.loads(out)
    assert code == 1
    assert document["clips"] == 2
    blocking = [(f["clip"], f["kind"], f["line"]) for f in document["findings"] if f["blocking"]]
    assert blocking == [("2", "missing audio", 3)]
    assert os.path.isfile("check.html")
    assert sorted(p.name for p in corpus.rglob("*")) == before
    _, table, _ = run(monkeypatch, capsys, "check", str(corpus))
    assert "missing audio" in table


def test_stats_and_export(corpus, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "stats", str(corpus), "--json")
    assert (code, json.loads(out)["clips"]) == (0, 2)
    code, out, _ = run(monkeypatch, capsys, "export", str(corpus), "out", "--skip-bad", "--json")
    assert (code, json.loads(out)["clips"]) == (0, 2)
    assert Path("out/metadata.csv").read_text() == "0|Hello there\n1|How are you\n"


def test_a_columns_mistake_is_told(corpus, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "stats", str(corpus), "--columns", "id,speech")
    assert code == 1
    assert "--columns id,speaker,text" in err


@pytest.fixture
def project(corpus, monkeypatch, capsys):
    """A project from scratch whose settings call every clip too long."""
    Path("project").mkdir()
    settings = "base: none\nquality: medium\nlanguage: en-us\ncorpus: {shortest: 0.1, longest: 1.5}\n"
    Path("project/voxgraft.yaml").write_text(settings)
    run(monkeypatch, capsys, "import", str(corpus), "--skip-bad", "--into", "project/corpus")
    return Path("project")


@pytest.mark.parametrize("path", ["project", "project/voxgraft.yaml"])
def test_check_takes_a_project_with_its_limits_and_sample_rate(project, monkeypatch, capsys, path):
    _, out, _ = run(monkeypatch, capsys, "check", path, "--json")
    document = json.loads(out)
    long = [f for f in document["findings"] if f["kind"] == "too long"]
    assert [f["clip"] for f in long] == ["0", "1"]
    assert "at most 1.5 s" in long[0]["detail"]
    assert any("22050" in f["detail"] for f in document["findings"]), "recordings of 16 kHz for a model of 22.05 kHz"
    assert os.path.isfile("project/corpus/check.html")
    _, out, _ = run(monkeypatch, capsys, "check", path, "--longest", "9", "--json")
    assert not [f for f in json.loads(out)["findings"] if f["kind"] == "too long"]


def test_check_takes_the_project_s_symbols(project, monkeypatch, capsys):
    Path("project/symbols.txt").write_text("_\n^\n$\nh\nə\n")
    with open("project/voxgraft.yaml", "a") as file:
        file.write("graft: {symbols: symbols.txt}\n")
    _, out, _ = run(monkeypatch, capsys, "check", "project", "--json")
    assert any("unknown" in f["kind"] for f in json.loads(out)["findings"])


def test_stats_and_export_take_a_project(project, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "stats", "project", "--json")
    assert (code, json.loads(out)["clips"], json.loads(out)["ids"]) == (0, 2, ["0", "1"])
    code, _, _ = run(monkeypatch, capsys, "export", "project", "out")
    assert code == 0
    assert Path("out/metadata.csv").read_text() == "0|Hello there\n1|How are you\n"


def test_a_project_needs_no_manifest_where_its_settings_name_the_corpus(corpus, monkeypatch, capsys):
    Path("project").mkdir()
    Path("project/voxgraft.yaml").write_text("corpus: {path: ../mine}\n")
    code, out, _ = run(monkeypatch, capsys, "stats", "project", "--json")
    assert (code, json.loads(out)["clips"]) == (0, 2)


def test_a_project_without_settings_is_its_manifest(project, monkeypatch, capsys):
    Path("project/voxgraft.yaml").unlink()
    code, out, _ = run(monkeypatch, capsys, "stats", "project", "--json")
    assert (code, json.loads(out)["clips"]) == (0, 2)


def test_a_project_without_recordings_is_told_what_to_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "voxgraft.yaml").write_text("base: none\n")
    code, out, err = run(monkeypatch, capsys, "check", str(tmp_path))
    assert (code, out) == (1, "")
    assert "has no recordings" in err
    assert "voxgraft corpus import RECORDINGS --into" in err


RECOGNISER = "tests/fixtures/deepspeech/english"


def test_check_takes_an_alphabet_and_tells_what_it_lacks(corpus, monkeypatch, capsys, tmp_path):
    (tmp_path / "alphabet.txt").write_text(" \na\na\nh\ne\nl\no\nt\nr\n\nw\ny\nu\n")
    code, out, _ = run(monkeypatch, capsys, "check", str(corpus), "--alphabet", "alphabet.txt", "--json")
    findings = json.loads(out)["findings"]
    assert code == 1, "a row without its recording"
    of_file = [(f["line"], f["kind"]) for f in findings if f["file"] == "alphabet.txt"]
    assert of_file == [(3, "unusable alphabet"), (10, "alphabet")]
    assert not [f for f in findings if f["kind"] == "outside the alphabet"]
    (tmp_path / "alphabet.txt").write_text(" \na\nh\ne\nl\no\nr\n")
    code, out, _ = run(monkeypatch, capsys, "check", str(corpus), "--alphabet", "alphabet.txt", "--json")
    outside = [f["clip"] for f in json.loads(out)["findings"] if f["kind"] == "outside the alphabet"]
    assert outside == ["0", "1"]
    _, table, _ = run(monkeypatch, capsys, "check", str(corpus), "--alphabet", "alphabet.txt")
    assert "outside the alphabet" in table


def test_check_takes_a_recogniser_and_other_sets(corpus, monkeypatch, capsys, request):
    base = str(request.config.rootpath / RECOGNISER)
    (corpus / "dev.csv").write_text("wav_filename,transcript\nwavs/0.wav,hello there\n")
    arguments = ("check", str(corpus / "metadata.csv"), "--base", base, "--dev", str(corpus / "dev.csv"), "--json")
    _, out, _ = run(monkeypatch, capsys, *arguments)
    kinds = {f["kind"] for f in json.loads(out)["findings"]}
    assert {"text in two sets", "recording in two sets", "unused labels"} <= kinds
    assert "unknown symbols" not in kinds


def test_an_alphabet_is_derived_shown_and_written_once(corpus, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "alphabet", str(corpus), "--out", "alphabet.txt", "--json")
    document = json.loads(out)
    assert (code, document["labels"][0], document["counts"]["h"]) == (0, " ", 3)
    assert document["rare"]["w"] == ["1"]
    assert Path("alphabet.txt").read_text().splitlines() == document["labels"]
    code, _, err = run(monkeypatch, capsys, "alphabet", str(corpus), "--out", "alphabet.txt")
    assert (code, "is there already" in err) == (1, True)
    code, _, err = run(monkeypatch, capsys, "alphabet", str(corpus), "--text", "loud")
    assert (code, "plain or as_is" in err) == (1, True)


def test_several_tables_are_one_corpus(corpus, monkeypatch, capsys):
    for name in "01":
        (corpus / f"{name}.csv").write_text(f"wav_filename,transcript\nwavs/{name}.wav,some text\nwavs/x.wav,gone\n")
    both = f"{corpus}/0.csv,{corpus}/1.csv"
    code, out, err = run(monkeypatch, capsys, "import", both, "--skip-bad", "--json")
    assert (code, json.loads(out)["clips"]) == (0, 2)
    assert "left out: 0.csv line 3: x: missing audio" in err
    assert "left out: 1.csv line 3: x: missing audio" in err
