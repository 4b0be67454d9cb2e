"""Points of a curve to its values between them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def between(points: Sequence[tuple[float, float | None]], log_x: float) -> float | None:
    """The value at the logarithm of `x`, by the cubic through the four nearest points; None where there is none.

    Args:
        points: At least four, `x` and value each, their logarithms of `x` evenly apart; a value may be missing.
    """
    first = math.log(points[0][0])
    step = (math.log(points[-1][0]) - first) / (len(points) - 1)
    place = (log_x - first) / step
    if not -1e-9 <= place <= len(points) - 1 + 1e-9:
        return None
    low = min(max(int(place), 0), len(points) - 2)
    if points[low][1] is None or points[low + 1][1] is None:
        return None
    total = 0.0
    start = min(max(low - 1, 0), len(points) - 4)
    near = [(i, y) for i in range(start, start + 4) if (y := points[i][1]) is not None]
    for i, y in near:
        for j, _ in near:
            if i != j:
                y *= (place - j) / (i - j)
        total += y
    return total
