"""Dimensions: exponents of base units, multiplied, divided and raised."""

from __future__ import annotations

import math
from collections.abc import Container
from functools import lru_cache

Dim = tuple[tuple[str, float], ...]
NONE: Dim = ()
# The dimension of what could not be read: it has its finding, and goes with nothing.
UNKNOWN: Dim = (("?", 1.0),)
# The dimension of money where no plan says yet in which currency.
MONEY = "currency"
USUAL_MONEY = "USD"


# Dimensions


@lru_cache(4096)
def _exponent(e: float) -> float:
    """The exponent without the noise of float sums: a small fraction or short decimal where it is one."""
    if not math.isfinite(e):
        raise ValueError("an exponent must be finite")
    for below in range(1, 13):
        if abs(e * below - round(e * below)) < 1e-11:
            return round(e * below) / below
    short = round(e, 8)
    return short if abs(e - short) < 1e-11 else round(e, 14)


def _dim(exponents: dict[str, float]) -> Dim:
    return tuple(sorted((name, s) for name, e in exponents.items() if (s := _exponent(e))))


# A plan has few dimensions, and asks for their products again and again.
@lru_cache(4096)
def times(a: Dim, b: Dim) -> Dim:
    """The dimension of a product."""
    if not a or not b:
        return a or b
    sums = dict(a)
    for name, e in b:
        sums[name] = sums.get(name, 0.0) + e
    return _dim(sums)


@lru_cache(4096)
def over(a: Dim, b: Dim) -> Dim:
    """The dimension of a quotient."""
    return times(a, tuple((name, -e) for name, e in b))


@lru_cache(4096)
def power(a: Dim, exponent: float) -> Dim:
    """The dimension of a power; the exponent may be any real number."""
    return _dim({name: e * exponent for name, e in a})


def in_currency(dim: Dim, currency: str, converted: Container[str]) -> Dim:
    """A dimension with money that is of no currency yet, or of one that is converted, in the one that is at hand."""
    moneys = [name for name, _ in dim if name == MONEY or name in converted]
    if not moneys:
        return dim
    out = NONE
    for name, e in dim:
        out = times(out, ((currency if name in moneys else name, e),))
    return out
