import pytest

from voxgraft.training.loop.learning_rate import EXPONENTIAL, FLOOR, learning_rate_factor


def test_it_rises_linearly_over_the_warm_up():
    assert [learning_rate_factor(step, 100, 3, "none") for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert learning_rate_factor(0, 100, 0, "none") == 1.0


def test_the_cosine_ends_at_the_floor_and_stays_there():
    found = [learning_rate_factor(step, 50, 0, "cosine") for step in range(60)]
    assert found[0] == 1.0
    assert found[25] == pytest.approx((1 + FLOOR) / 2)
    assert found[50:] == pytest.approx([FLOOR] * 10)
    assert found == sorted(found, reverse=True)


def test_the_exponential_is_pipers():
    assert (
        learning_rate_factor(1000, 10, 0, "exponential")
        == pytest.approx(EXPONENTIAL**1000)
        == pytest.approx(0.8825, abs=1e-4)
    )
