import codecs
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.recogniser.ctc_paths import letters, random_frames, text_scores

from voxgraft.errors import TextError
from voxgraft.inference.recogniser.decoders.automaton import hot_word_automaton, utf8_automaton
from voxgraft.inference.recogniser.decoders.decode import EXHAUSTIVE, BeamOptions, greedy, log_softmax
from voxgraft.inference.recogniser.decoders.search import beam_search
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.alphabet import byte_table

BYTES = Labels.of(byte_table())
UTF8 = utf8_automaton(BYTES)


def walked(automaton, labels, text: str, *, close: bool = True) -> float:
    """What the automaton gives a text in all."""
    state, total = automaton.start, 0.0
    for label in labels.spell(text).labels:
        total += automaton.gain[state, label]
        state = automaton.following[state, label]
    return total + (automaton.closing[state] if close else 0.0)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=6))
def test_only_valid_utf8_goes_through(raw):
    automaton, state, allowed = UTF8, 0, True
    for byte in raw:
        if byte == 0:
            return
        allowed = allowed and bool(np.isfinite(automaton.gain[state, byte - 1]))
        state = automaton.following[state, byte - 1] if allowed else 0
    try:
        raw.decode("utf-8")
        assert allowed
        assert automaton.closing[state] == 0
    except UnicodeDecodeError:
        assert not allowed or automaton.closing[state] == -np.inf


def test_bytes_are_written_as_whole_characters_only():
    text = "жук 三€😀"
    likely = np.zeros((2 * len(text.encode()), 256))
    for place, byte in enumerate(text.encode()):
        likely[2 * place, byte - 1] = likely[2 * place + 1, 255] = 12
    frames = log_softmax(likely)
    assert greedy(frames, BYTES) == beam_search(frames, BYTES)[0].text == text
    assert greedy(frames[:-3], BYTES) == text[:-1]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_the_beam_never_writes_a_broken_character(seed):
    frames = random_frames(8, 256, seed, 3.0)
    for hypothesis in beam_search(frames, BYTES, BeamOptions(beams=20), most=5):
        raw = bytes(label + 1 for label in hypothesis.labels)
        written = codecs.getincrementaldecoder("utf-8")().decode(raw)  # the last character may be unfinished
        assert written.split() == hypothesis.text.split()


WORDS = letters("abn ")


@pytest.mark.parametrize(
    ("hot_words", "text", "gain"),
    [
        ({"ab": 6}, "ab", 6),
        ({"ab": 6}, "ab ab", 12),
        ({"ab": 6}, "aba", 0),
        ({"ab": 6}, "a", 0),
        ({"ab": 6}, "bab", 0),
        ({"ab": 6}, "bab ab ", 6),
        ({"ab": -4}, "ab b", -4),
        ({"ab": 6, "abn": 3}, "abn ab", 9),
        ({"an ab": 5}, "an ab", 5),
        ({"an ab": 5}, "an a", 0),
        ({"an ab": 5, "ab": 2}, "an ab", 7),
        ({"an an ab": 5}, "an an an ab", 5),
        ({"an ab": 5, "aba": 2}, "an aba", 2),
        ({"an": 3, "an ab": 5}, "an b", 3),
        ({"an": 3, "an ab": 5}, "an ab an", 11),
        ({}, "ab", 0),
    ],
)
def test_hot_words_are_paid_where_they_stand_whole(hot_words, text, gain):
    assert walked(hot_word_automaton(hot_words, WORDS), WORDS, text) == pytest.approx(gain)


def test_part_of_a_hot_word_is_granted_on_the_way():
    automaton = hot_word_automaton({"abna": 8}, WORDS)
    assert walked(automaton, WORDS, "abn", close=False) == pytest.approx(6)
    assert walked(automaton, WORDS, "abnb", close=False) == pytest.approx(0)


def test_pieces_of_words_gain_as_their_letters_do():
    labels = Labels((" a", "b", "n", " ab", " an", None), 5)
    automaton = hot_word_automaton({"abn": 6}, labels)
    spelt = [labels.spellings.index(piece) for piece in (" ab", "n")]
    state, total = automaton.start, 0.0
    for label in spelt:
        total, state = total + automaton.gain[state, label], automaton.following[state, label]
    assert total == pytest.approx(6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([{"ab": 3.0}, {"b a": 2.0, "a": -1.0}]))
def test_without_pruning_texts_gain_what_their_hot_words_are_worth(seed, hot_words):
    labels = letters("ab ")
    log_probs = random_frames(5, 4, seed)

    def worth(sequence) -> float:
        words = labels.text(sequence).split()
        return sum(
            weight
            for phrase, weight in hot_words.items()
            for at in range(len(words))
            if words[at : at + len(phrase.split())] == phrase.split()
        )

    expected = text_scores(log_probs, labels, worth)
    options = replace(EXHAUSTIVE, hot_words=hot_words)
    found = {h.text: h.score for h in beam_search(log_probs, labels, options, most=1000)}
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_hot_word_turns_a_near_miss():
    labels = letters("abn ")
    frames = np.full((3, 5), -9.0)
    frames[0, 0], frames[1, 1], frames[2, [0, 2]] = 0, 0, (0, -0.5)
    frames = log_softmax(frames)
    assert beam_search(frames, labels)[0].text == "aba"
    assert beam_search(frames, labels, BeamOptions(hot_words={"abn": 2.0}))[0].text == "abn"


@pytest.mark.parametrize("word", ["", " ", "abz", "я"])
def test_a_hot_word_that_cannot_be_written_is_named(word):
    with pytest.raises(TextError, match="can't be written"):
        hot_word_automaton({word: 5.0}, WORDS)


def test_absurdly_many_hot_words_are_refused():
    labels = letters("".join(chr(0x4E00 + i) for i in range(20_000)))
    words = {labels.text(range(first, first + 40)): 1.0 for first in range(0, 4000, 40)}
    with pytest.raises(TextError, match="too many"):
        hot_word_automaton(words, labels)
