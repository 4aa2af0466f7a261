import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.recogniser.ctc_paths import collapse, letters, random_frames

from voxgraft.errors import AudioError
from voxgraft.inference.recogniser import align as module
from voxgraft.inference.recogniser.align import align, needed_frames, words_of
from voxgraft.inference.recogniser.decoders.decode import greedy_labels, log_softmax


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 6), st.lists(st.integers(0, 1), max_size=4), st.integers(0, 10_000))
def test_the_path_is_the_likeliest_of_all_that_spell_the_labels(frames, labels, seed):
    log_probs = random_frames(frames, 3, seed)
    spelling = [p for p in itertools.product(range(3), repeat=frames) if collapse(p, 2) == tuple(labels)]
    if not spelling:
        with pytest.raises(AudioError, match="too short"):
            align(log_probs, labels, 2)
        return
    totals = [log_probs[np.arange(frames), list(path)].sum() for path in spelling]
    found = align(log_probs, labels, 2)
    path = np.full(frames, 2)
    for label, first, last in zip(labels, found.first, found.last, strict=True):
        path[first:last] = label
    assert collapse(tuple(path), 2) == tuple(labels)
    assert log_probs[np.arange(frames), path].sum() == pytest.approx(max(totals))
    assert found.margin == pytest.approx((max(totals) - log_probs.max(axis=1).sum()) / frames, abs=1e-6)
    spelt = path != 2
    if labels:
        assert found.score == pytest.approx(log_probs[np.arange(frames), path][spelt].mean())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_what_the_recogniser_would_write_has_no_margin(seed):
    labels = letters("ab ")
    log_probs = random_frames(40, 4, seed)
    assert align(log_probs, greedy_labels(log_probs, labels), 3).margin == pytest.approx(0, abs=1e-9)


def test_a_wrong_text_scores_worse_than_the_right_one():
    labels = letters("abcd ")
    right, wrong = labels.spell("ab cd abba").labels, labels.spell("dd ac bc dab").labels
    likely = np.random.default_rng(1).normal(0, 1, (120, 6))
    likely[:, 5] += 5
    for place, label in enumerate(right):
        likely[10 * place + 4, [label, 5]] += (5, -5)
    log_probs = log_softmax(likely)
    good, bad = align(log_probs, right, 5), align(log_probs, wrong, 5)
    assert good.score > bad.score
    assert good.margin > bad.margin
    assert [int(frame) for frame in good.first] == pytest.approx([10 * i + 4 for i in range(len(right))], abs=3)


def test_times_of_words():
    labels = letters("ab ")
    rows = [3, 0, 0, 1, 3, 2, 2, 3, 1, 1, 3]
    log_probs = np.log(np.eye(4)[rows] * 0.9 + 0.025)
    words = words_of(align(log_probs, labels.spell("ab b").labels, 3), labels, 0.02, offset=1.0)
    assert [(w.text, w.start, w.end) for w in words] == [("ab", 1.02, 1.08), ("b", 1.16, 1.2)]
    assert all(w.score == pytest.approx(0.925, abs=1e-3) for w in words)


def test_a_block_at_a_time_is_the_same(monkeypatch):
    log_probs = random_frames(30, 4, 7)
    whole = align(log_probs, [0, 1, 1, 2], 3)
    assert needed_frames([0, 1, 1, 2]) == 5
    np.testing.assert_array_equal(whole.first, align(log_probs.astype(np.float32), [0, 1, 1, 2], 3).first)
    monkeypatch.setattr(module, "MOST_CELLS", 100)
    with pytest.raises(AudioError, match="too long"):
        align(log_probs, [0, 1, 1, 2], 3)


def test_no_labels_are_all_blank():
    found = align(random_frames(5, 3, 0), [], 2)
    assert (found.labels, found.score) == ((), 0.0)
    assert align(np.zeros((0, 3)), [], 2).margin == 0.0


def test_an_hour_of_speech_would_be_refused_rather_than_fill_memory():
    with pytest.raises(AudioError, match="one piece"):
        align(np.zeros((180_000, 3), np.float32), [0, 1] * 20_000, 2)
