"""Whether texts suit the symbols and the language of a voice."""

from dataclasses import replace

import pytest
from tests.text.test_guess_language import SPANISH

from voxgraft.config.presets import default_symbols
from voxgraft.config.run import RunConfig
from voxgraft.project.texts import MOST_UNKNOWN, check_texts, coverage_of, language_conflict, too_few_texts
from voxgraft.text.symbols import SymbolTable

LETTERS = SymbolTable({s: (n,) for n, s in enumerate("_^$ !'abcdefghijklmnopqrstuvwxyz")}, 40, "text")
HINDI = ("मैं घर जा रहा हूँ", "वह बाज़ार गया")


def test_texts_in_letters_that_the_model_does_not_know_stop_before_anything_trains():
    (wrong,), doubtful = check_texts(RunConfig(), HINDI, LETTERS)
    assert str(wrong).startswith("texts: 100 % of the symbols are unknown to the model")
    assert "romanise" in wrong.remedy
    assert "--symbols" in wrong.remedy
    assert not doubtful


def test_a_share_is_told_with_the_symbols_and_what_can_be_done():
    wrong, doubtful = check_texts(RunConfig(), ("abc ñ", "abcdefg ñ"), LETTERS)
    assert not wrong
    assert str(doubtful[0]).startswith("texts: 14 % of the symbols are unknown to the model and left out: '◌\u0303' 2×")


def test_spaces_and_punctuation_do_not_make_texts_known():
    coverage = coverage_of(["! ! ! ! ж"], LETTERS)
    assert coverage.unknown_share == 1.0 > MOST_UNKNOWN
    _, only_signs = check_texts(RunConfig(), ("abc—abc",), LETTERS)
    assert str(only_signs[0]).startswith("texts: signs that the model does not know are left out: '—' 1×")


def test_all_known_says_nothing():
    assert check_texts(RunConfig(), ("abc", "bad cab"), LETTERS) == ((), ())


def test_a_language_that_contradicts_is_asked_about_and_a_named_one_is_kept():
    english = default_symbols("en-us")
    told = str(language_conflict(RunConfig(), SPANISH, english))
    assert "Spanish" in told
    assert "--set language=es" in told
    assert "--set language=en-us" in told
    assert language_conflict(RunConfig(language="en-us"), SPANISH, english) is None
    assert language_conflict(RunConfig(), SPANISH, default_symbols("es")) is None
    assert "(en-us)" in str(language_conflict(RunConfig(), SPANISH, default_symbols(None)))
    assert language_conflict(RunConfig(), SPANISH, replace(LETTERS, voice="en-us")) is not None
    assert language_conflict(RunConfig(), SPANISH, LETTERS) is None


def test_what_the_corpus_says_of_itself_comes_first():
    english = default_symbols("en-us")
    assert "German" in str(language_conflict(RunConfig(), ("abc",), english, stated=("de", None)))
    assert language_conflict(RunConfig(), ("abc",), english, stated=("en",)) is None


def test_romanised_texts_are_no_contradiction():
    assert language_conflict(RunConfig(), ("main ghar ja raha hun",), replace(LETTERS, voice="hi")) is None


def test_hindi_read_by_an_english_base_is_asked_about():
    pytest.importorskip("espeakng_loader")
    wrong, _ = check_texts(RunConfig(), HINDI, default_symbols("en-us"))
    assert "--set language=hi" in str(wrong[0])


def test_one_text_is_too_few_to_learn_from_and_validate_on():
    assert "one text in all" in str(too_few_texts(RunConfig(), ["Hello.", "hello!"], "voice"))
    assert too_few_texts(RunConfig(), ["Hello.", "Good bye."], "voice") is None
    assert "at least 3" in too_few_texts(RunConfig(), ["Hello.", "Good bye."], "recogniser").why
    assert too_few_texts(RunConfig(recogniser={"dev": ["d"], "test": ["t"]}), ["Hello."], "recogniser") is None
