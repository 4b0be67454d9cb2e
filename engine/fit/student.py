"""Degrees of freedom into how far Student's t reaches, without SciPy, whose import takes longer than a fit."""

from __future__ import annotations

import math
from statistics import NormalDist


def student(coverage: float, freedom: int) -> float:
    """Between minus this and this lies Student's t with the probability `coverage`.

    G. W. Hill, Algorithm 396: Student's t-Quantiles, Communications of the ACM 13 (1970); to five digits.
    """
    n, p = float(freedom), 1 - coverage
    if freedom == 1:
        return math.cos(p * math.pi / 2) / math.sin(p * math.pi / 2)
    if freedom == 2:
        return math.sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (n - 0.5)
    b = 48 / (a * a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * p) ** (2 / n)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(p / 2)
        y = x * x
        if freedom < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * (n + 1) / (
            n + 2
        ) + 1 / y
    return math.sqrt(n * y)
