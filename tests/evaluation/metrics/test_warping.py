import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.evaluation.metrics.warping import distances, warp


def plain_warp(cost: np.ndarray) -> float:
    """Cost of the best path, cell by cell."""
    total = np.full((cost.shape[0] + 1, cost.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1])


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000))
def test_the_path_is_whole_and_cheapest(height, width, seed):
    cost = np.random.default_rng(seed).random((height, width))
    rows, columns = warp(cost)
    assert (rows[0], columns[0]) == (0, 0)
    assert (rows[-1], columns[-1]) == (height - 1, width - 1)
    steps = {(int(i), int(j)) for i, j in zip(np.diff(rows), np.diff(columns), strict=True)}
    assert steps <= {(1, 0), (0, 1), (1, 1)}
    assert cost[rows, columns].sum() == pytest.approx(plain_warp(cost))


def test_a_stretched_sequence_maps_back():
    points = np.arange(6, dtype=float)[:, None]
    rows, columns = warp(distances(np.repeat(points, 2, axis=0), points))
    assert rows.tolist() == list(range(12))
    assert columns.tolist() == [i // 2 for i in range(12)]


def test_distances_of_known_points():
    np.testing.assert_allclose(distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0]])), [[5, 1]])
