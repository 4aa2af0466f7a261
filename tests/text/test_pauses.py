"""Pauses that espeak-ng makes without a mark are pauses for a voice too; no two words are run together."""

import pytest

from voxgraft.text.encode import describe
from voxgraft.text.normalise import with_pauses
from voxgraft.text.piper_ids import from_id_map
from voxgraft.text.symbols import SymbolTable
from voxgraft.text.transcript import plain


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Wait... what", "Wait, what"),
        ("Wait...what", "Wait, what"),
        ("Wait…what", "Wait, what"),
        ("Wait ... What is it?", "Wait, What is it?"),
        ("Wait . . . what", "Wait, what"),
        ("Wait...... what", "Wait, what"),
        ("Wait...? What", "Wait? What"),
        ("Hmm…, no", "Hmm, no"),
        ("“No…” said I", "“No,” said I"),
        ("(so...) then", "(so,) then"),
        ("50%... 100%", "50%, 100%"),
        ("3...2...1", "3, 2, 1"),
        ("one...\nTwo", "one,\nTwo"),
        ("And then.. no", "And then. no"),
        ("Pero ¿qué haces?", "Pero qué haces?"),
        ("Espera… ¿oíste eso?", "Espera, ¿oíste eso?"),
        ("你好，世界：一、二；三", "你好, 世界: 一, 二; 三"),
    ],
)
def test_a_pause_gets_a_mark(text, spoken):
    assert with_pauses(text) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "end...",
        "...and so",
        "...",
        "one...\n\nTwo",
        "¿Qué? ¡No!",
        "Oye, ¿qué?",
        "Dr. Who said 3.5, then left.",
        "a — b",
        "",
    ],
)
def test_all_else_stays_as_it_is(text):
    assert with_pauses(text) == text


@pytest.mark.parametrize("text", ["Wait... what", "Wait…what"])
def test_a_voice_says_two_words(text):
    pytest.importorskip("espeakng_loader")
    table = SymbolTable(
        ids={s: (n,) for n, s in enumerate("^_$ ,abdeɪtwʌˈˌ")}, rows=20, text_kind="espeak", voice="en-us"
    )
    assert describe(text, table)["phonemes"] == ["wˈeɪt, wˌʌt"]


@pytest.mark.parametrize("text", ["Wait... what", "Wait…what", "Pero ¿qué haces?", "And then.. no"])
def test_a_voice_made_elsewhere_is_read_as_piper_reads_it(text):
    theirs = pytest.importorskip("piper.phonemize_espeak").EspeakPhonemizer().phonemize("en-us", text)
    table = from_id_map({"a": [0]}, 1, "espeak", "en-us")
    assert describe(text, table)["phonemes"] == ["".join(sentence) for sentence in theirs]


@pytest.mark.parametrize("pauses", [True, False])
@pytest.mark.parametrize("text", ["And then..", "And then.. [[ a ]]", "One, [[ a ]] two.."])
def test_two_points_leave_nothing_for_the_next_text(text, pauses):
    pytest.importorskip("espeakng_loader")
    table = SymbolTable(ids={"a": (0,)}, rows=1, text_kind="espeak", voice="en-us", pauses=pauses)
    describe(text, table)
    assert describe("Bob", table)["phonemes"] == ["bˈɑːb"]


def test_points_part_the_words_of_a_transcript():
    assert plain("Wait...what, U.S. and..so") == "wait what us and so"
