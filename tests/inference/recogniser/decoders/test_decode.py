import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.recogniser.ctc_paths import letters, random_frames, text_scores

from voxgraft.errors import CheckpointError
from voxgraft.inference.recogniser.decoders.decode import (
    EXHAUSTIVE,
    BeamOptions,
    BeamSearch,
    greedy,
    greedy_labels,
    log_softmax,
)
from voxgraft.inference.recogniser.decoders.search import beam_search
from voxgraft.inference.recogniser.labels import Labels

AB_ = letters("ab ")


def path_frames(path: str, labels: Labels, sharpness: float = 8.0) -> np.ndarray:
    """Frames whose likeliest path is `path`, `-` for the blank."""
    rows = [labels.blank if c == "-" else labels.spellings.index(c) for c in path]
    return log_softmax(np.eye(len(labels))[rows] * sharpness)


@pytest.mark.parametrize(("path", "text"), [("aab-b", "abb"), ("---", ""), ("a-a-", "aa"), (" a  b ", "a b"), ("", "")])
def test_greedy_joins_repeats_and_leaves_blanks_out(path, text):
    frames = path_frames(path, AB_) if path else np.zeros((0, 4))
    assert greedy(frames, AB_) == text
    assert beam_search(frames, AB_)[0].text == text


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(2, 4), st.integers(0, 10_000), st.sampled_from([0.3, 2.0, 6.0]))
def test_without_pruning_every_text_has_the_sum_of_all_its_paths(frames, outputs, seed, sharpness):
    labels = letters("ab "[: outputs - 1])
    log_probs = random_frames(frames, outputs, seed, sharpness)
    expected = text_scores(log_probs, labels)
    found = {h.text: h.score for h in beam_search(log_probs, labels, EXHAUSTIVE, most=10_000)}
    assert found.keys() == expected.keys()
    assert max(abs(found[text] - expected[text]) for text in expected) < 1e-5


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_pruning_never_adds_probability_that_is_not_there(seed, beams):
    log_probs = random_frames(5, 4, seed)
    expected = text_scores(log_probs, AB_)
    for hypothesis in beam_search(log_probs, AB_, BeamOptions(beams=beams, top_labels=2), most=100):
        assert hypothesis.score <= expected[hypothesis.text] + 1e-6


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 12), max_size=8))
def test_pieces_give_what_the_whole_gives(seed, sizes):
    log_probs = random_frames(60, 4, seed)
    search = BeamSearch(AB_, BeamOptions(beams=8))
    stable: tuple[int, ...] = ()
    for piece in np.split(log_probs, np.cumsum(sizes)):
        search.push(piece)
        assert search.stable[: len(stable)] == stable
        stable = search.stable
        assert search.best[: len(stable)] == stable
    found = search.finish(5)
    assert found == beam_search(log_probs, AB_, BeamOptions(beams=8), most=5)
    assert found[0].labels[: len(stable)] == stable


def test_forgetting_what_is_settled_changes_nothing(monkeypatch):
    labels = letters("abcdefg '")
    log_probs = random_frames(400, 10, 3, 2.0)
    whole = beam_search(log_probs, labels, most=5)
    monkeypatch.setattr("voxgraft.inference.recogniser.decoders.decode._COMPACT_NODES", 300)
    search = BeamSearch(labels)
    for piece in np.array_split(log_probs, 40):
        search.push(piece)
    assert search._tree.count < 4000
    assert search._tree.committed
    forgot = search.finish(5)
    assert [h.text for h in forgot] == [h.text for h in whole]
    assert [h.labels for h in forgot] == [h.labels for h in whole]
    np.testing.assert_allclose([h.score for h in forgot], [h.score for h in whole])


def test_a_prefix_that_was_dropped_and_comes_back_is_the_same_prefix():
    """Two beams that spell the same would share its probability and lose to a lesser one."""
    for seed in range(200):
        search = BeamSearch(AB_, BeamOptions(beams=3))
        search.push(random_frames(40, 4, seed, 0.5))
        sequences = [tuple(search._tree.sequence(int(node))) for node in search._node]
        assert len(set(sequences)) == len(sequences)


def test_the_best_text_sums_its_paths_where_the_best_path_is_another():
    log_probs = np.log(np.array([[0.4, 0.6], [0.4, 0.6]]))
    labels = letters("a")
    assert greedy(log_probs, labels) == ""
    assert beam_search(log_probs, labels)[0].text == "a"
    assert np.exp(beam_search(log_probs, labels)[0].score) == pytest.approx(0.64)


def test_n_best_are_different_texts_best_first():
    found = beam_search(random_frames(12, 4, 5), AB_, most=10)
    assert len({h.text for h in found}) == len(found) == 10
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_outputs_that_write_nothing_are_never_chosen():
    labels = Labels(("a", None, " ", None), 3)
    frames = log_softmax(np.array([[1.0, 9.0, 0.0, 0.0], [0.0, 9.0, 2.0, 0.0]]))
    assert greedy_labels(frames, labels) == (0, 2)
    assert 1 not in beam_search(frames, labels)[0].labels


@pytest.mark.parametrize("width", [1, 3, 5])
def test_outputs_of_another_model_are_refused(width):
    with pytest.raises(CheckpointError, match="frames of 4 values"):
        beam_search(np.zeros((3, width)), AB_)


def test_outputs_that_are_no_numbers_are_refused():
    with pytest.raises(CheckpointError, match="NaN"):
        greedy(np.full((2, 4), np.nan), AB_)


def test_frames_that_forbid_everything_end_in_no_text():
    assert beam_search(np.full((3, 4), -np.inf), AB_)[0].text == ""


def test_log_softmax_leaves_logarithms_of_probabilities_alone():
    log_probs = random_frames(5, 7, 1)
    np.testing.assert_allclose(log_softmax(log_probs), log_probs, atol=1e-6)
    np.testing.assert_allclose(np.exp(log_softmax(np.array([[1e4, -1e4], [3.0, 3.0]]))).sum(axis=1), 1)
