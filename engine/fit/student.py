"""Quantiles of Student's t, without SciPy: to import it takes longer than a fit."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

NODES = 48
STEPS = 60


def quantile(freedom: int, share: float) -> float:
    """The figure below which a share of a t distribution lies.

    By bisection over its distribution function, an integral of a smooth density by Gauss's rule: from 0 to the angle
    whose tangent is t / sqrt(freedom), where it is a power of a cosine.

    Args:
        freedom: 1 or more.
        share: Between 1/2 and 1.
    """
    x, w = np.polynomial.legendre.leggauss(NODES)
    # Of a cosine to the power of freedom - 1 over a half circle.
    whole = math.exp(0.5 * math.log(math.pi) + math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    low, high = 0.0, math.pi / 2
    if freedom > 200:  # the density is a narrow peak there
        high = math.atan(8 * NormalDist().inv_cdf(share) / math.sqrt(freedom))
    for _ in range(STEPS):
        middle = (low + high) / 2
        angles = middle * (x + 1) / 2
        below = 0.5 + middle / 2 * float(w @ np.cos(angles) ** (freedom - 1)) / whole
        low, high = (middle, high) if below < share else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)
