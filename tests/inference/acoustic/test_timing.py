"""When words and symbols are said, as a TextGrid and as read-alongs."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from voxgraft.inference.acoustic.acoustic import Spoken
from voxgraft.inference.acoustic.readalong import readalong_html, readalong_xml
from voxgraft.inference.acoustic.textgrid import textgrid
from voxgraft.inference.acoustic.timing import Timed, Timing, timing_of
from voxgraft.text.symbols import SymbolTable

LETTERS = SymbolTable(
    ids={symbol: (number,) for number, symbol in enumerate("\x80 abcd.")},
    rows=7,
    text_kind="text",
    pad="\x80",
    intersperse=False,
)
PADDED = SymbolTable(ids={symbol: (number,) for number, symbol in enumerate("_^$ ab")}, rows=6, text_kind="espeak")


def spoken(table: SymbolTable, sentence: str, durations: list[int]) -> Spoken:
    ids = table.encode(sentence).ids
    assert len(ids) == len(durations)
    return Spoken(np.zeros((2, sum(durations)), np.float32), np.array(durations), ids)


def test_words_have_the_time_of_their_letters_and_of_the_space_after_them():
    said = [spoken(LETTERS, "ab c.", [2, 3, 1, 4, 2]), spoken(LETTERS, "d", [5])]
    found = timing_of("ab c. d", said, LETTERS, 0.5)
    assert found.seconds == 8.5
    assert found.words == (Timed("ab", 0, 3), Timed("c.", 3, 6), Timed("d", 6, 8.5))
    assert [(one.label, one.end) for one in found.symbols] == [
        ("a", 1), ("b", 2.5), (" ", 3), ("c", 5), (".", 6), ("d", 8.5),
    ]  # fmt: skip


def test_pads_belong_to_the_symbol_before_them_and_marks_are_silence():
    found = timing_of("ab", [spoken(PADDED, "ab", [2, 1, 3, 1, 4, 1, 2])], PADDED, 1.0)
    assert found.symbols == (Timed("", 0, 3), Timed("a", 3, 7), Timed("b", 7, 12), Timed("", 12, 14))
    assert found.words == (Timed("ab", 0, 14),)


def test_a_symbol_that_lasts_no_frame_is_in_no_row():
    found = timing_of("a b", [spoken(LETTERS, "a b", [2, 0, 2])], LETTERS, 1.0)
    assert [one.label for one in found.symbols] == ["a", "b"]
    assert found.words == (Timed("a", 0, 2), Timed("b", 2, 4))


def test_words_that_the_phonemizer_joins_share_its_time_by_their_letters():
    """Three words, two runs of symbols."""
    found = timing_of("aa bb cc", [spoken(LETTERS, "abcd d", [1, 1, 1, 1, 1, 5])], LETTERS, 1.0)
    assert [one.label for one in found.words] == ["aa", "bb", "cc"]
    assert found.words[0].begin == 0
    assert found.words[-1].end == found.seconds == 10
    assert all(a.end == pytest.approx(b.begin) for a, b in zip(found.words, found.words[1:], strict=False))


TIMING = Timing((Timed("", 0, 0.1), Timed('"a', 0.1, 0.5), Timed("b", 0.6, 1.0)), (Timed("<ab>", 0.1, 0.8),), 1.25)


def test_a_textgrid_is_read_back_and_has_no_gaps(tmp_path):
    from voxgraft.corpus.durations.textgrid import read_textgrid

    path = tmp_path / "x.TextGrid"
    path.write_text(textgrid(TIMING), "utf-8")
    words, symbols = read_textgrid(path)
    assert (words.name, symbols.name) == ("words", "symbols")
    assert [(one.text, one.start, one.end) for one in words.labels] == [
        ("", 0, 0.1), ("<ab>", 0.1, 0.8), ("", 0.8, 1.25),
    ]  # fmt: skip
    assert [one.text for one in symbols.labels] == ["", '"a', "", "b", ""]
    assert symbols.labels[-1].end == 1.25


def test_the_xml_has_each_words_time_as_everyvoices_has():
    root = ElementTree.fromstring(readalong_xml(TIMING, "eng").encode())
    assert (root.tag, root.get("version")) == ("read-along", "1.2")
    (word,) = root.iter("w")
    assert (word.text, word.get("time"), word.get("dur")) == ("<ab>", "0.100", "0.700")
    assert word.get("id") == "t0b0d0p0s0w0"


def test_the_page_holds_its_sound_and_needs_nothing_else():
    audio = np.sin(np.arange(2000) / 10).astype(np.float32)
    page = readalong_html(TIMING, audio, 8000, title="a & b", language="eng")
    begun: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: begun.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert {"html", "audio", "span", "script"} <= set(begun)
    sound = re.search(r'src="data:audio/wav;base64,([^"]+)"', page)
    assert sound is not None
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(sound[1])))
    assert rate == 8000
    np.testing.assert_allclose(heard, audio, atol=1e-3)
    assert "http" not in page
    assert '<span class="word" data-begin="0.100" data-end="0.800">&lt;ab&gt;</span>' in page
    assert "<title>a &amp; b</title>" in page
