from collections import Counter

import pytest

from voxgraft.text.encode import describe, encode_text, stream_text
from voxgraft.text.symbols import SymbolTable

IDS = {"_": (0,), "^": (1,), "$": (2,), "h": (3,), "ˈ": (4,), "a": (5,), "ɪ": (6, 7), ".": (8,)}


def table(**changes):
    return SymbolTable(**({"ids": IDS, "rows": 9, "text_kind": "espeak", "voice": "en-us"} | changes))


def test_a_sentence_is_framed_and_padded_as_piper_does():
    pytest.importorskip("espeakng_loader")
    (encoding,) = encode_text("Hi.", table())
    assert encoding.ids == (1, 0, 3, 0, 4, 0, 5, 0, 6, 7, 0, 8, 0, 2)
    assert encoding.unknown == {}


def test_each_sentence_has_its_own_encoding_and_unknown_symbols_are_counted():
    pytest.importorskip("espeakng_loader")
    first, second = encode_text("Hi. Zoo!", table())
    assert not first.unknown
    assert second.unknown == Counter({"z": 1, "u": 1, "ː": 1, "!": 1})
    assert second.ids == (1, 0, 4, 0, 2)


def test_the_voice_can_be_another_than_the_tables():
    pytest.importorskip("espeakng_loader")
    assert encode_text("ich", table(), voice="de")[0].unknown == Counter({"c": 1, "\u0327": 1})


def test_graphemes_take_small_letters_where_the_table_has_no_capitals():
    ids = {"a": (0,), "b": (1,), "B": (2,)}
    (encoding,) = encode_text("ABC", table(ids=ids, rows=3, text_kind="text"))
    assert encoding.ids == (0, 2)
    assert encoding.unknown == Counter({"C": 1})


def test_describe_shows_every_stage():
    pytest.importorskip("espeakng_loader")
    assert describe("Hi\u00a0!", table()) == {
        "raw": "Hi\u00a0!",
        "normalised": "Hi !",
        "phonemes": ["hˈaɪ!"],
        "ids": [[1, 0, 3, 0, 4, 0, 5, 0, 6, 7, 0, 2]],
        "unknown": {"!": 1},
    }


def test_a_long_text_is_encoded_as_it_is_read():
    pytest.importorskip("espeakng_loader")
    stream = stream_text("Hi. " * 500_000, table())
    assert [next(stream).ids[2:4] for _ in range(3)] == [(3, 0)] * 3


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b"])
def test_nothing_to_say_gives_nothing(text):
    pytest.importorskip("espeakng_loader")
    assert encode_text(text, table()) == []
