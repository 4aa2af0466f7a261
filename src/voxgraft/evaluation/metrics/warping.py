"""Dynamic time warping: which moment of one clip is which moment of another."""

from __future__ import annotations

import numpy as np


def distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Euclidean distances [N, M] between the rows of [N, C] and [M, C]."""
    squares = np.square(left).sum(1)[:, None] + np.square(right).sum(1)[None] - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def warp(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest path through cost [N, M] from corner to corner by steps (1,0), (0,1), (1,1): rows, columns.

    Row d + 2, column i + 1 of `total` holds the cell (i, d - i), so that one line of numpy does a diagonal.
    """
    height, width = cost.shape
    total = np.full((height + width + 1, height + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        before, above = total[diagonal + 1], total[diagonal]
        best = np.minimum(np.minimum(before[rows], before[rows + 1]), above[rows])
        total[diagonal + 2, rows + 1] = best + cost[rows, diagonal - rows]
    return _walk_back(total, height, width)


def _walk_back(total: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    row, column = height - 1, width - 1
    path = [(row, column)]
    while row or column:
        diagonal = row + column
        both, up, left = total[diagonal, row], total[diagonal + 1, row], total[diagonal + 1, row + 1]
        if both <= up and both <= left:
            row, column = row - 1, column - 1
        elif up <= left:
            row -= 1
        else:
            column -= 1
        path.append((row, column))
    rows, columns = np.array(path[::-1]).T
    return rows, columns
