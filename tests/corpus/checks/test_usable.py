"""The one place that stops for recordings that can't be used, or leaves them out and says so."""

import pytest

from voxgraft.corpus.checks.finding import WHOLE, Finding, located
from voxgraft.corpus.checks.usable import usable, warn, without
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import CorpusError


def utterance(name: str, line: int | None = None, table: str = "/some/t.csv") -> Utterance:
    return Utterance(name, f"{name}.wav", "text", 1.0, 16000, table=table, line=line)


KEPT = Manifest((utterance("a", 2), utterance("b", 3)))


def bad(name: str, kind: str = "unreadable audio", **place) -> Finding:
    return Finding(name, kind, f"what {name} has", f"Mend {name}.", **place)


def test_where_nothing_is_wrong_everything_is_used(capsys):
    assert usable(KEPT, [Finding("a", "quiet", "so quiet", "Speak louder.")]) == KEPT
    assert capsys.readouterr().err == ""


def test_what_is_wrong_is_one_error_with_file_line_and_remedy():
    found = located([bad("b")], KEPT)
    with pytest.raises(CorpusError) as caught:
        usable(without(KEPT, found), found)
    assert caught.value.summary == "/some/t.csv: 1 recording can't be used: line 3: b: unreadable audio (what b has)"
    assert caught.value.remedy.startswith("Mend b, or leave them out with --skip-bad")


def test_several_tables_are_named_each():
    found = [bad("b", line=3, file="/x/one.csv"), *[bad(f"c{n}", line=n, file="/x/two.csv") for n in range(1, 6)]]
    with pytest.raises(CorpusError) as caught:
        usable(KEPT, found)
    assert caught.value.file is None
    assert "6 recordings can't be used: one.csv line 3: b: " in caught.value.summary
    assert "two.csv line 1: c1: " in caught.value.summary
    assert caught.value.summary.endswith("and 3 more")
    assert caught.value.remedy.startswith("Correct them (`voxgraft corpus check` lists them all)")


def test_characters_are_summed_up_and_the_rest_is_listed():
    whole = [
        Finding(WHOLE, "missing characters", "1 characters: é", "give it a label"),
        Finding(WHOLE, "missing characters", "dev: 1 characters: ø", "they count as errors"),
    ]
    with pytest.raises(CorpusError) as caught:
        usable(KEPT, [bad("a", "outside the alphabet"), bad("b"), *whole])
    assert "1 characters: é; b: unreadable audio (what b has)" in caught.value.summary
    assert "ø" not in caught.value.summary


def test_what_is_left_out_is_told_line_by_line_up_to_a_bound(capsys):
    found = [bad(f"c{n}", line=n, file="/x/t.csv") for n in range(1, 31)]
    assert usable(KEPT, found, skip_bad=True) == KEPT
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "left out: line 1: c1: unreadable audio: what c1 has"
    assert len(lines) == 21
    assert lines[-1].startswith("left out: 30 recordings in all")


def test_where_nothing_is_left_skipping_does_not_help():
    with pytest.raises(CorpusError, match="no usable recordings"):
        usable(Manifest(()), [bad("a")], "t.csv", skip_bad=True)


def test_advice_is_told_a_line_each_kind(capsys):
    quiet = [Finding(f"c{n}", "quiet", f"{-n} dB", "Speak louder.") for n in range(50, 55)]
    warn([*quiet, bad("b"), Finding(WHOLE, "alphabet", "an empty line", "Write a space.", line=3, file="/x/a.txt")])
    assert capsys.readouterr().err.splitlines() == [
        "warning: a.txt line 3: alphabet: an empty line. Write a space.",
        "warning: quiet: c50: -50 dB; c51: -51 dB; c52: -52 dB and 2 more. Speak louder. `voxgraft corpus check` lists them all.",
    ]


def test_a_manifest_knows_its_lines_and_holds_none(tmp_path):
    path = tmp_path / "manifest.jsonl"
    KEPT.write(path)
    assert "line" not in path.read_text("utf-8")
    path.write_text("\n" + path.read_text("utf-8"), "utf-8")
    again = Manifest.read(path)
    assert again == KEPT
    assert [(u.table, u.line) for u in again] == [(str(path), 2), (str(path), 3)]
    assert again.utterances[1].named == "b (manifest.jsonl line 3)"
