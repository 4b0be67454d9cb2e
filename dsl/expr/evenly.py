"""Amounts with limits to how often each is passed over when all are, until it has reached its limit, equally often.

In an expression it is an operator over what is taken together, the amounts and their limits: the level e of
`evenly(v, a1, m1, a2, m2, ...)` is such that the sum of `a_i * min(e, m_i)` is v. It grows with v along a line that
gets steeper each time that an amount has reached its limit, so that it is the highest of those lines. Beyond all limits
it goes on along the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from runplan.dsl.expr.tree import Expr, Op
from runplan.dsl.types import Any

EVENLY = "evenly"


def evenly(whole: Expr, parts: Iterable[tuple[Expr, Expr]]) -> Expr:
    """The passes over each of some amounts that make up a whole, none beyond its own limit."""
    return Op(EVENLY, (whole, *(arg for part in parts for arg in part)))


def level(args: Sequence[Any], functions: Any) -> Any:
    """The value of the operator at values of its arguments, floats or arrays (then with numpy's functions)."""
    whole, amounts, limits = args[0], args[1::2], args[2::2]
    if hasattr(functions, "argsort"):
        return _on_arrays(whole, amounts, limits, functions)
    done = reached(args)
    parts = list(zip(amounts, limits, done, strict=True))
    taken = sum(amount * limit for amount, limit, full in parts if full)
    return (whole - taken) / sum(amount for amount, _, full in parts if not full)


def reached(args: Sequence[float]) -> list[bool]:
    """Which of the amounts have reached their limits, at values of the operator's arguments."""
    whole, amounts, limits = args[0], args[1::2], args[2::2]
    done = [False] * len(amounts)
    order = sorted(range(len(amounts)), key=limits.__getitem__)
    taken, left = 0.0, sum(amounts)
    for at in order:
        taken += amounts[at] * limits[at]
        left -= amounts[at]
        # The last ones, which have one limit, go on: beyond it, too.
        if limits[at] == limits[order[-1]] or whole - taken <= left * limits[at]:
            break
        done[at] = True
    return done


def _on_arrays(whole: Any, amounts: Sequence[Any], limits: Sequence[Any], functions: Any) -> Any:
    """Element by element: for each limit, the line of those that reach theirs no earlier."""
    lines = []
    for own in limits:
        before, later = 0.0, 0.0
        for limit, amount in zip(limits, amounts, strict=True):
            before = before + functions.where(limit < own, amount * limit, 0.0)
            later = later + functions.where(limit >= own, amount, 0.0)
        lines.append((whole - before) / later)
    return reduce(functions.maximum, lines)
