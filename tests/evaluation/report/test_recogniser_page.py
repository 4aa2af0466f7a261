"""The page of a recogniser: what is on it, that it is safe, and that it stays small."""

import numpy as np
import pytest
from tests.evaluation.report.test_page import HOSTILE, Page, full, tone

from voxgraft.errors import AudioError
from voxgraft.evaluation.hearing import Hearing, letters_lacking, transcribed
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.report import HeardSet, RecogniserReport, render_recogniser, write_recogniser_report
from voxgraft.evaluation.report.recogniser_page import readable
from voxgraft.evaluation.report.transcripts import LONGEST_SECONDS, MOST_UTTERANCES


def hearing(pairs):
    rows = tuple(
        transcribed(f"clip-{place}", f"{place}.wav", said, heard, 1.0) for place, (said, heard) in enumerate(pairs)
    )
    return Hearing(rows, 1.0, 0.5)


def heard_set(name="test", **changes):
    result = hearing([("one two", "one two"), ("red blue", "red glue"), ("up down", "")])
    base = hearing([("one two", "won too"), ("red blue", "red blue"), ("up down", "up town")])
    settings = {
        "title": "new language",
        "about": "Recordings for test.",
        "hearings": {"base": base, "result": result},
        "sound": lambda _: tone(300, 16_000),
        "notes": ("A note.",),
    }
    return HeardSet(name, **settings | changes)


def report(**changes):
    history = [{"step": step, "kind": "train", "ctc": 9 - step, "learning_rate": 0.1 * step} for step in range(5)]
    history += [
        {"step": step, "kind": "validation", "score": -1, "eligible": True, "cer": 1 - step / 9, "loss": 8 - step}
        for step in (0, 4)
    ]
    settings = {
        "sets": [heard_set()],
        "history": history,
        "found": ["step 4: plateau: nothing falls"],
        "plan": full().plan,
    }
    return RecogniserReport(**{"title": "A recogniser"} | settings | changes)


def test_everything_is_on_the_page():
    page = Page(render_recogniser(report(sets=[heard_set(), heard_set("source", title="the base's language")])))
    for words in (
        "A recogniser", "WER, new language", "CER, the base's language", "Change", "A note.", "plateau: nothing falls",
        "1 of 3 utterances were heard without error", "Loss, nats a label", "Graft plan", "that listen come from the base",
    ):  # fmt: skip
        assert words in page.text, words
    assert [mark.get("title") for mark in page.all("mark")][:3] == [None, "said: down", "said: blue"]
    assert len(page.all("audio")) == 4
    assert all(audio["src"].startswith("data:audio/") for audio in page.all("audio"))
    charts = {picture["aria-label"].split(" over ")[0] for picture in page.all("svg") if "role" in picture}
    assert charts == {"Loss, nats a label", "learning rate", "CER"}


def test_the_worst_come_first_and_what_is_right_does_not():
    page = Page(render_recogniser(report()))
    assert page.text.index("up down") < page.text.index("red blue")
    assert "clip-0" not in page.text


def test_the_scores_are_those_of_the_hearings():
    heard = heard_set()
    assert heard.judged.wer == pytest.approx(3 / 6)
    page = Page(render_recogniser(report())).text
    assert "50.0 %" in page
    assert "Recordings for test." in page


def test_training_and_dev_share_a_chart_of_the_loss():
    rows = readable(report().history)
    assert {row["kind"] for row in rows if "loss" in row} == {"train", "dev"}
    assert not any("score" in row or "ctc" in row for row in rows)


def test_where_nothing_was_watched_nothing_is_said_of_it_and_where_nothing_was_found_that_is():
    assert "went wrong" not in Page(render_recogniser(report(found=None))).text
    assert "Nothing: neither blank collapse" in Page(render_recogniser(report(found=[]))).text


def test_a_recogniser_alone_has_no_change():
    alone = heard_set(hearings={"result": heard_set().judged})
    page = Page(render_recogniser(report(sets=[alone])))
    assert "Change" not in page.text
    assert "Base" not in page.text


def test_nothing_on_the_page_runs_or_loads():
    wrong = hearing([(f"{HOSTILE} a", f"b {HOSTILE}")])
    hostile = heard_set(title=HOSTILE, about=HOSTILE, notes=(HOSTILE,), hearings={"base": wrong, "result": wrong})
    page = Page(render_recogniser(report(title=HOSTILE, sets=[hostile], found=[HOSTILE], plan=full(HOSTILE).plan)))
    assert not page.all("script")
    assert not page.all("img")
    assert all("onload" not in element and "onerror" not in element for _, element in page.elements)


def test_a_test_of_thousands_of_long_recordings_makes_a_page_of_a_few_megabytes(tmp_path):
    many = hearing([("a long text " * 60, "another text " * 60) for _ in range(21)])
    noise = np.random.default_rng(0).normal(0, 0.2, int(2 * LONGEST_SECONDS * 16_000)).astype(np.float32)
    read = []

    def sound(name):
        read.append(name)
        return Clip(noise, 16_000)

    heard = heard_set(hearings={"base": many, "result": many}, sound=sound)
    path = write_recogniser_report(tmp_path / "report.html", report(sets=[heard]))
    assert len(read) == MOST_UTTERANCES
    assert path.stat().st_size < 6_000_000
    assert "the first 20 of 40 s" in path.read_text("utf-8")


def test_a_recording_that_is_gone_is_told_of():
    def sound(name):
        raise AudioError("no such file", file="gone.wav", remedy="look for it")

    page = Page(render_recogniser(report(sets=[heard_set(sound=sound)])))
    assert page.text.count("its sound can't be read: no such file") == 2
    assert not page.all("audio")


def test_letters_that_an_alphabet_lacks_are_named_once():
    assert letters_lacking(["Hello, World", "héllo"], "abcdefgh ") == "lorwé"
    assert letters_lacking(["abc"], "ABC") == ""
