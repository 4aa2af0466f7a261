"""The page: well formed, self-contained, and safe whatever a transcript says."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from voxgraft.evaluation.compare import Comparison
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.judge import HeldOut
from voxgraft.evaluation.metrics.transcript import ErrorCount
from voxgraft.evaluation.report import Report, render, write_report
from voxgraft.evaluation.scores import ClipScore, Scores
from voxgraft.graft.plan import GraftPlan, Row, SymbolMap

HOSTILE = "</h3></style><script>alert('x')</script><img src=x onerror=alert(1)>\" onload=\"alert(2)"
VOID = {"img", "meta", "br"}


class Page(HTMLParser):
    """Checks that elements close in order, and collects what is on the page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def tone(hertz: float, rate: int) -> Clip:
    return Clip((0.3 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32), rate)


def row(text: str, seed: int | None, similarity: float, edits: int, heard: str) -> ClipScore:
    return ClipScore(
        "one",
        text,
        seed,
        1.0,
        heard,
        ErrorCount(edits, 10),
        ErrorCount(0, 2),
        similarity,
        mcd=None if seed is None else 7.0,
    )


def comparison(text: str = "A text.") -> Comparison:
    return Comparison(
        scores={
            "base": Scores((row(text, 0, 0.4, 1, "a test"),)),
            "result": Scores((row(text, 0, 0.7, 0, text),)),
            "recordings": Scores((row(text, None, 0.9, 0, text),)),
        },
        clips={
            "base": {"one": tone(200, 22_050)},
            "result": {"one": tone(300, 22_050)},
            "recordings": {"one": tone(300, 16_000)},
        },
        held_out=(HeldOut("one", text, tone(300, 16_000)),),
        seeds=(0,),
        absent={"dnsmos": "speechmos is not installed"},
        notes=("A note.",),
    )


@dataclasses.dataclass
class Finding:
    clip: str
    kind: str
    detail: str
    remedy: str


def full(text: str = "A text.") -> Report:
    plan = GraftPlan(
        rows=(
            Row("copy", "dec.a", "dec.a", (2, 3), (2, 3), "decoder", "same name and shape"),
            Row("init", "enc_q.b", None, (), None, "posterior", text),
        ),
        symbols=SymbolMap(("a",), (text,), ()),
        speakers={},
        languages={},
        refusals=(),
        warnings=(text,),
        parameters_carried=0.975,
        by_part={"decoder": {"copy": 1}, "posterior": {"init": 1}},
    )
    return Report(
        title=text,
        comparison=comparison(text),
        lead=f"{text}\n\nMore.",
        facts={text: text},
        history=[{"step": step, "train/mel": 40 - step, "cer": 0.1} for step in range(5)],
        plan=plan,
        corpus={"Clips": 60},
        findings=[Finding(text, text, text, text)],
        config={"name": text, "steps": 5, "tuple": (1, 2)},
        provenance={"Base": text},
        notes=[text],
    )


def test_the_smallest_report():
    page = Page(render(Report("Small", comparison())))
    assert [attributes["id"] for attributes in page.all("section")] == ["scores", "listen"]
    assert page.all("title")


def test_a_full_report_has_every_section():
    page = Page(render(full()))
    assert [attributes["id"] for attributes in page.all("section")] == [
        "scores", "listen", "learning", "plan", "corpus", "settings", "provenance", "notes",
    ]  # fmt: skip
    assert "97.5 %" in page.text
    assert "dec.a" in page.text
    assert "2 × 3" in page.text


def test_scores_are_in_the_table():
    text = Page(render(full())).text
    assert "10.0 %" in text
    assert "+0.30" in text
    assert "better" in text
    assert "DNSMOS was not measured: speechmos is not installed" in text


def test_nothing_hostile_becomes_markup():
    page = Page(render(full(HOSTILE)))
    assert not page.all("script")
    assert len(page.all("img")) == 3
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert " ".join(HOSTILE.split()) in page.text


def test_nothing_is_loaded_from_anywhere():
    rendered = render(full())
    page = Page(rendered)
    links = [a[k] for _, a in page.elements for k in ("src", "href", "srcset", "action", "data", "poster") if k in a]
    assert len(links) == 6
    assert all(link.startswith(("data:image/png;base64,", "data:audio/")) for link in links)
    assert not re.search(r"url\(|@import|https?:", rendered)
    assert "default-src 'none'" in page.all("meta")[1]["content"]


def test_pictures_tables_and_players_are_named():
    page = Page(render(full()))
    assert all(attributes["alt"] for attributes in page.all("img"))
    assert all(attributes["aria-label"] for attributes in page.all("audio"))
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in page.all("svg"))
    assert all(attributes["scope"] in ("row", "col") for attributes in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len({attributes["id"] for _, attributes in page.elements if "id" in attributes}) == len(
        [1 for _, attributes in page.elements if "id" in attributes]
    )


def test_a_voice_without_base_or_recordings():
    whole = comparison()
    alone = dataclasses.replace(
        whole, scores={"result": whole.scores["result"]}, clips={"result": whole.clips["result"]}
    )
    page = Page(render(Report("Alone", alone)))
    assert len(page.all("audio")) == 1
    assert "Change" not in page.text


def test_many_texts_do_not_make_a_huge_page():
    whole = comparison()
    lines = tuple(HeldOut(str(number), "Text.") for number in range(40))
    clips = {"result": {line.id: tone(200, 22_050) for line in lines}}
    page = Page(render(Report("Many", dataclasses.replace(whole, held_out=lines, clips=clips))))
    assert len(page.all("audio")) == 24
    assert "16 more texts were measured" in page.text


def test_a_report_is_written_whole(tmp_path):
    path = write_report(tmp_path / "deep" / "report.html", full())
    assert path.read_text("utf-8").rstrip().endswith("</html>")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("audio", [np.zeros(0, np.float32), np.zeros(5, np.float32)])
def test_clips_of_next_to_nothing(audio):
    whole = comparison()
    short = dataclasses.replace(whole, clips={"result": {"one": Clip(audio, 22_050)}})
    assert len(Page(render(Report("Short", short))).all("audio")) == bool(len(audio))
