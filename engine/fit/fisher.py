"""A ratio of two variances into how seldom chance alone makes it as large, without SciPy, whose import takes longer
than a fit."""

from __future__ import annotations

import math

# Terms of the continued fraction; where it takes more, degrees of freedom are in the millions.
MOST, CLOSE, TINY = 500, 1e-14, 1e-300


def beyond(ratio: float, freedom: float, other: float) -> float:
    """The probability that Fisher's F is above a ratio.

    Args:
        freedom, other: Degrees of freedom of the variance above the line, and of that below it.
    """
    if not ratio > 0.0:
        return 1.0
    return _beta(other / (other + freedom * ratio), other / 2, freedom / 2)


def _beta(x: float, a: float, b: float) -> float:
    """The incomplete beta function, regularised: DLMF 8.17.22, by Lentz's method as Thompson and Barnett have it."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta(1.0 - x, b, a)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1.0 / _off(1.0 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, MOST):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _off(1.0 + term * d)
            c = _off(1.0 + term / c)
            found *= c * d
        if abs(c * d - 1.0) < CLOSE:
            break
    return math.exp(log) * found / a


def _off(value: float) -> float:
    """A value by which can be divided."""
    return value if abs(value) > TINY else TINY
