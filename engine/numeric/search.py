"""A function of one unknown to its inverse, or to where it is least."""

from __future__ import annotations

import math
from collections.abc import Callable

# Points that a search for a crossing looks at, at most, and how near two are, as a share, that floats tell apart.
MOST, CLOSEST = 200, 4e-16


def inverse(function: Callable[[float], float], value: float, low: float, high: float) -> float:
    """The positive number between two ends at which a rising function has a value, by halving on a log scale."""
    a, b = math.log(low), math.log(high)
    for _ in range(100):
        middle = (a + b) / 2
        if not a < middle < b:
            break
        a, b = (middle, b) if function(math.exp(middle)) < value else (a, middle)
    return math.exp((a + b) / 2)


def least(function: Callable[[float], float], guess: float, reach: float = 30.0, close: float = 1e-9) -> float:
    """Where a function with one valley is least, by golden section around a guess."""
    golden = (math.sqrt(5) - 1) / 2
    low, high = guess - reach, guess + reach
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = function(a), function(b)
    while high - low > close:
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - golden * (high - low)
            at_a = function(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + golden * (high - low)
            at_b = function(b)
    return (low + high) / 2


def crossing(function: Callable[[float], float], holds: float, fails: float, close: float = CLOSEST) -> float:
    """The last point between one at which a function is at most 0 and one at which it is more, at which it still is at
    most 0; of those that are told apart: these are as near as `close`, as a share.

    Chandrupatla's method (Advances in Engineering Software 28, 1997): a parabola through the last three points where
    these are near one, else halving.
    """
    x, f = holds, function(holds)
    other, at_other = fails, function(fails)
    step = 0.5
    for _ in range(MOST):
        new = x + step * (other - x)
        if new in (x, other):
            break
        value = function(new)
        if (value <= 0.0) == (f <= 0.0):
            third, at_third = x, f
        else:
            third, at_third, other, at_other = other, at_other, x, f
        x, f = new, value
        least = close * max(abs(x), abs(other)) / abs(other - x) if other != x else 1.0
        if least > 0.5:
            break
        step = min(max(_parabola(x, other, third, f, at_other, at_third), least), 1.0 - least)
    return x if f <= 0.0 else other


def _parabola(a: float, b: float, c: float, at_a: float, at_b: float, at_c: float) -> float:
    """Where between a and b, as a share of the way, the parabola of x over the values has its root; half where it may
    lie outside.
    """
    if not (at_a != at_b != at_c != at_a and math.isfinite(at_a + at_b + at_c)):
        return 0.5
    xi, phi = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    if not (phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi):
        return 0.5
    near = at_a / (at_b - at_a) * at_c / (at_b - at_c)
    return near + (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
