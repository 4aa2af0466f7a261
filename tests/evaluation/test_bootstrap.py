import numpy as np
import pytest

from voxgraft.evaluation import bootstrap
from voxgraft.evaluation.bootstrap import change_interval, ratio_interval


def test_a_constant_has_no_width():
    assert ratio_interval([(text, 0.7, 1) for text in "abcd"]) == pytest.approx((0.7, 0.7, 0.7))


def test_the_value_is_the_ratio_of_sums():
    value, low, high = ratio_interval([("a", 1, 10), ("b", 3, 30), ("c", 10, 10)])
    assert value == pytest.approx(14 / 50)
    assert low < value < high


def test_covers_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        sample = draws.normal(2.0, 1.0, 40)
        _, low, high = ratio_interval([(str(i), x, 1) for i, x in enumerate(sample)])
        hits += low <= 2.0 <= high
    assert 87 <= hits <= 99


def test_repeated_seeds_do_not_narrow_the_interval():
    values = np.random.default_rng(0).random(10)
    once = [(str(i), x, 1) for i, x in enumerate(values)]
    assert ratio_interval(once * 5) == pytest.approx(ratio_interval(once))


def test_the_same_every_time():
    parts = [("a", 1, 10), ("b", 3, 30), ("c", 10, 10)]
    assert ratio_interval(parts) == ratio_interval(parts)


def test_nothing_measured_is_none():
    assert ratio_interval([]) is None
    assert ratio_interval([("a", 1, 0)]) is None
    assert change_interval([("a", 1, 1)], [("b", 1, 1)]) is None


def test_a_paired_change_is_surer_than_the_difference_of_two():
    values = np.random.default_rng(0).random(12)
    before = [(str(i), x, 1) for i, x in enumerate(values)]
    after = [(str(i), x + 0.1, 1) for i, x in enumerate(values)]
    assert change_interval(before, after) == pytest.approx((0.1, 0.1, 0.1))
    assert ratio_interval(before)[2] > ratio_interval(after)[1]


def test_change_takes_only_texts_that_both_have():
    assert change_interval([("a", 1, 1), ("b", 9, 1)], [("c", 5, 1), ("a", 3, 1)]) == pytest.approx((2, 2, 2))


def test_a_large_test_is_drawn_in_pieces_with_the_same_result(monkeypatch):
    parts = [(str(place), place % 3, 10.0) for place in range(50)]
    whole = ratio_interval(parts)
    monkeypatch.setattr(bootstrap, "MOST_KEPT", 7000)
    monkeypatch.setattr(bootstrap, "_draws", lambda count: pytest.fail("all draws were held at once"))
    assert ratio_interval(parts) == pytest.approx(whole)
