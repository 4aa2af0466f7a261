import pytest

from voxgraft.text.encode import describe
from voxgraft.text.normalise import spell_numbers
from voxgraft.text.symbols import SymbolTable


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("I have 3 cats.", "en-us", "I have three cats."),
        ("1,250 of 2.5", "en", "one thousand, two hundred and fifty of two point five"),
        ("3,5 kg", "de", "drei Komma fünf kg"),
        ("1.234 Euro", "de_DE", "eintausendzweihundertvierunddreißig Euro"),
        ("71", "fr", "soixante et onze"),
        ("71", "fr-BE", "septante et un"),
        ("A1B2 stays, v2 too", "en", "A1B2 stays, v2 too"),
        ("1.2.3", "en", "one.two.three"),
        ("no numbers", "en", "no numbers"),
        ("7", "tlh", "7"),
        ("9" * 16, "en", " ".join(["nine"] * 16)),
    ],
)
def test_spell_numbers(text, language, words):
    assert spell_numbers(text, language) == words


def table(ids):
    return SymbolTable(ids=ids, rows=9, text_kind="text", voice="en")


def test_letters_are_given_words_and_a_table_with_digits_keeps_them():
    assert describe("2", table({"t": (0,), "w": (1,), "o": (2,)}))["normalised"] == "two"
    assert describe("2", table({"2": (0,)}))["normalised"] == "2"
