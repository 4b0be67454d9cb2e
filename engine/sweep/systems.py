"""Small systems of linear equations, one at each of many points, solved for all points by each step."""

from __future__ import annotations

import numpy as np

from runplan.engine.sweep.job import Floats


def solution(matrix: Floats, right: Floats) -> Floats:
    """The solutions (k, n) of systems by their matrices (k, k, n) and right sides (k, n); not finite where none is."""
    k = len(right)
    upper, rights, _ = _triangular(matrix, right)
    found = np.empty((k, matrix.shape[2]))
    for at in reversed(range(k)):
        left = rights[at]
        for other in range(at + 1, k):
            left = left - upper[at][other] * found[other]
        found[at] = left / upper[at][at]
    return found


def sign_of_determinant(matrix: Floats) -> Floats:
    """The signs of the determinants of matrices (k, k, n), (n)."""
    upper, _, sign = _triangular(matrix, np.empty((0, matrix.shape[2])))
    for at, row in enumerate(upper):
        sign = sign * np.sign(row[at])
    return sign


def _triangular(matrix: Floats, right: Floats) -> tuple[list[list[Floats]], list[Floats], Floats]:
    """Systems with nothing left of the diagonal, and the sign by which that changed their determinants.

    Rows are made even, and of each column the largest element left is divided by (Gaussian elimination with partial
    pivoting).
    """
    k = len(matrix)
    scale = np.abs(matrix).max(axis=1)
    scale = 1.0 / np.where(scale > 0, scale, 1.0)
    rows = [
        [*(matrix[at, column] * scale[at] for column in range(k)), *(right[at : at + 1] * scale[at])] for at in range(k)
    ]
    sign = np.ones(matrix.shape[2])
    for at in range(k):
        for other in range(at + 1, k):
            swapped = np.abs(rows[other][at]) > np.abs(rows[at][at])
            if swapped.any():
                sign = np.where(swapped, -sign, sign)
                for column in range(at, len(rows[at])):
                    a, b = rows[at][column], rows[other][column]
                    rows[at][column], rows[other][column] = np.where(swapped, b, a), np.where(swapped, a, b)
        for other in range(at + 1, k):
            share = rows[other][at] / rows[at][at]
            for column in range(at + 1, len(rows[at])):
                rows[other][column] = rows[other][column] - share * rows[at][column]
    return [row[:k] for row in rows], [row[k] for row in rows if len(row) > k], sign
