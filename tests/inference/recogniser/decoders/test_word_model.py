import math
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.recogniser.ctc_paths import letters, random_frames, text_scores

from voxgraft.errors import TextError
from voxgraft.inference.recogniser.decoders.decode import EXHAUSTIVE, BeamOptions
from voxgraft.inference.recogniser.decoders.search import beam_search
from voxgraft.inference.recogniser.decoders.vocabulary import FOREIGN, WORD_START
from voxgraft.inference.recogniser.decoders.word_beams import WordBeamSearch
from voxgraft.inference.recogniser.decoders.word_model import LmOptions, WordModel, load_language_model
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.lm.arpa import read_arpa, write_arpa
from voxgraft.lm.estimate import estimate

LM = LmOptions(alpha=0.8, beta=0.4, unknown=-2.0)
SPACED = letters("ab ")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    write_arpa(estimate([["ab", "a"], ["ab", "b"], ["b"], ["ab"]], 3), path)
    return read_arpa(path)


def worth(model, words: list[str]) -> float:
    """What the model adds to a text, from the definition."""
    unknown = sum(word not in model.numbers for word in words)
    return LM.alpha * math.log(10) * model.sentence(words) + LM.beta * len(words) + LM.unknown * unknown


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_without_pruning_texts_score_as_sound_and_model_together(model, seed):
    log_probs = random_frames(5, 4, seed)
    expected = text_scores(log_probs, SPACED, lambda sequence: worth(model, SPACED.text(sequence).split()))
    found = {
        h.text: h.score
        for h in beam_search(log_probs, SPACED, EXHAUSTIVE, words=WordModel(model, SPACED, LM).start(), most=10_000)
    }
    assert found == pytest.approx(expected, abs=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_pieces_of_words_score_as_their_words_do(model, seed):
    labels = Labels((" a", "b", " b", " ab", None), 4)
    log_probs = random_frames(4, 5, seed)
    expected = text_scores(log_probs, labels, lambda sequence: worth(model, labels.text(sequence).split()))
    found = {
        h.text: h.score
        for h in beam_search(log_probs, labels, EXHAUSTIVE, words=WordModel(model, labels, LM).start(), most=10_000)
    }
    assert found == pytest.approx(expected, abs=1e-4)


def test_pieces_give_what_the_whole_gives_and_forget_what_is_settled(model):
    log_probs = random_frames(300, 4, 2, 4.0)
    whole = beam_search(log_probs, SPACED, words=WordModel(model, SPACED, LM).start(), most=3)
    search = WordBeamSearch(SPACED, WordModel(model, SPACED, LM).start())
    stable: tuple[int, ...] = ()
    for piece in np.array_split(log_probs, 60):
        search.push(piece)
        assert search.stable[: len(stable)] == stable
        stable = search.stable
        assert search.best[: len(stable)] == stable
        assert {id(node) for node in leaves_of(search._root)} <= {id(beam) for beam in search._beams}
    assert len(stable) > 50
    assert search.finish(3) == whole
    assert whole[0].labels[: len(stable)] == stable


def leaves_of(node) -> list:
    return [leaf for child in node.children.values() for leaf in leaves_of(child)] or [node]


def test_every_beam_is_another_sequence(model):
    """Two beams that spell the same would share its probability and lose to a lesser one."""
    for seed in range(100):
        search = WordBeamSearch(SPACED, WordModel(model, SPACED, LM).start(), BeamOptions(beams=3))
        search.push(random_frames(40, 4, seed, 0.5))
        assert len({beam.labels() for beam in search._beams}) == len(search._beams) <= 3


def test_weights_never_get_too_small_for_a_number(model):
    words = WordModel(model, SPACED, LM)
    frames = random_frames(60, 4, 3, 4.0)
    search = WordBeamSearch(SPACED, words.start())
    for _ in range(60):
        search.push(frames - 3.0)
    (best,) = search.finish(1)
    assert best.score < -60 * 60 * 3
    assert np.isfinite(best.score)


def test_frames_that_forbid_everything_end_in_no_text(model):
    words = WordModel(model, SPACED, LM)
    assert beam_search(np.full((3, 4), -np.inf), SPACED, words=words.start())[0].text == ""
    search = WordBeamSearch(SPACED, words.start())
    search.push(np.full((3, 4), -np.inf))
    assert search.best == search.stable == ()


def test_hot_words_and_a_model_add_up(model):
    log_probs = random_frames(5, 4, 7)
    hot = replace(EXHAUSTIVE, hot_words={"ab": 2.0})
    words = WordModel(model, SPACED, LM)
    plain = {h.text: h.score for h in beam_search(log_probs, SPACED, EXHAUSTIVE, words=words.start(), most=1000)}
    raised = {h.text: h.score for h in beam_search(log_probs, SPACED, hot, words=words.start(), most=1000)}
    assert raised == pytest.approx({text: score + 2 * text.split().count("ab") for text, score in plain.items()})


@pytest.mark.parametrize("spelling", ["AB ", "ab "])
def test_the_case_of_words_is_the_recognisers(model, spelling):
    labels = letters(spelling)
    words = WordModel(model, labels, LM).start()
    state = words.going_on(words.going_on(WORD_START)[0])[1]
    known, _ = words.complete(words.begin(), state)
    assert known == pytest.approx(
        LM.beta + LM.alpha * math.log(10) * (model.after(model.beginning, model.numbers["ab"])[0])
    )
    assert words.going_on(state)[0] == FOREIGN


def test_of_words_that_are_written_alike_the_likeliest_counts(tmp_path):
    write_arpa(estimate([["Ab"], ["ab"], ["ab"], ["ab", "ab"], ["AB"]], 1), tmp_path / "lm.arpa")
    both = read_arpa(tmp_path / "lm.arpa")
    words = WordModel(both, letters("ab "), LmOptions(1.0, 0.0)).start()
    state = words.going_on(words.going_on(WORD_START)[0])[1]
    gain, _ = words.complete(words.begin(), state)
    assert gain == pytest.approx(math.log(10) * both.after((), both.numbers["ab"])[0])


def test_a_model_without_an_unknown_word_gives_one_little(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_text("\\data\\\nngram 1=1\n\n\\1-grams:\n-0.1\tab\n\n\\end\\\n")
    words = WordModel(read_arpa(path), SPACED, LmOptions(1.0, 0.0, -3.0)).start()
    assert words.complete(words.begin(), FOREIGN)[0] == pytest.approx(-3 - 5 * math.log(10))
    assert words.close(words.begin()) == 0.0


def test_letters_without_word_breaks_need_no_model(model):
    labels = letters("ab")
    log_probs = random_frames(6, 3, 1)
    assert beam_search(log_probs, labels, words=WordModel(model, labels, LM).start()) == beam_search(log_probs, labels)


def kenlm(trailer: bytes = b"") -> bytes:
    return b"mmap lm http://kheafield.com/code format version 5\n\0" + bytes(300) + b"EIRT junk" + trailer


def test_a_coqui_scorer_says_what_it_is_and_what_to_do(tmp_path):
    path = tmp_path / "kenlm.scorer"
    path.write_bytes(kenlm(struct.pack("<4si?ddI", b"EIRT", 6, False, 0.931289, 1.183413, 2125659606) + bytes(50)))
    with pytest.raises(TextError, match=r"Coqui STT scorer \(version 6\).*words.*alpha 0.9313, beta 1.183") as fault:
        load_language_model(path)
    assert "--alpha 0.9313 --beta 1.183" in fault.value.remedy


@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        b"EIRT",
        struct.pack("<4si?ddI", b"EIRT", 6, True, math.nan, 1.0, 2125659606),
        struct.pack("<4si", b"EIRT", 6),
    ],
)
def test_a_kenlm_binary_is_not_taken_for_a_scorer(tmp_path, trailer):
    path = tmp_path / "lm.binary"
    path.write_bytes(kenlm(trailer))
    with pytest.raises(TextError, match="KenLM's own format"):
        load_language_model(path)


def test_no_language_model(tmp_path):
    with pytest.raises(TextError, match="no such language model"):
        load_language_model(tmp_path / "lm.arpa")
