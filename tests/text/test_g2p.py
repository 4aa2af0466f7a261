import pytest

from voxgraft.errors import TextError
from voxgraft.text import g2p
from voxgraft.text.g2p import graphemes, phonemizer


class Plugin:
    name = "reversed"

    @staticmethod
    def load():
        class Reversed:
            def __init__(self, voice):
                self.voice = voice

            def stream(self, text):
                yield list(reversed(text))

            def sentences(self, text):
                return list(self.stream(text))

        return Reversed


def test_graphemes_are_the_code_points_of_nfd():
    assert phonemizer("text").sentences("Ça va?") == [list("C\u0327a va?")]


def test_graphemes_of_a_short_text_are_one_sentence_as_in_piper():
    assert len(phonemizer("text").sentences("One. Two. Three.")) == 1


def test_graphemes_of_nothing_are_nothing():
    assert phonemizer("text").sentences("") == []


@pytest.mark.parametrize("text", ["Ein Satz. " * 500, "wort " * 5000, "x" * 5000, "A b.\n\nC d. " * 300])
def test_a_long_text_of_graphemes_is_cut_without_losing_a_letter(text):
    sentences = phonemizer("text").sentences(text)
    assert max(map(len, sentences)) <= graphemes.LONGEST_SENTENCE
    assert "".join("".join(s) for s in sentences).replace(" ", "") == "".join(text.split())


def test_an_entry_point_adds_a_kind(monkeypatch):
    monkeypatch.setattr(g2p, "entry_points", lambda group: [Plugin] if group == "voxgraft.phonemizers" else [])
    made = phonemizer("reversed", "de")
    assert made.sentences("abc") == [["c", "b", "a"]]
    assert made.voice == "de"


def test_an_unknown_kind_says_which_there_are():
    with pytest.raises(TextError, match="espeak or text or bytes") as fault:
        phonemizer("pinyin")
    assert "voxgraft.phonemizers" in fault.value.remedy


def test_bytes_are_those_of_utf_8():
    assert phonemizer("bytes").sentences("né.") == [[chr(byte) for byte in "né.".encode()]]
    assert phonemizer("bytes").sentences("") == []
