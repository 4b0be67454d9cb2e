"""A function of one unknown to its inverse, or to where it is least."""

from __future__ import annotations

import math
from collections.abc import Callable


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
