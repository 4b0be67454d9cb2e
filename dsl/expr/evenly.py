"""Amounts with limits to how often each is passed over when all are, until it has reached its limit, equally often.

In an expression it is an operator over what is taken together, the amounts and their limits: the level e of
`evenly(v, a1, m1, a2, m2, ...)` is such that the sum of `a_i * min(e, m_i)` is v. It grows with v along a line that
gets steeper each time that an amount has reached its limit, so that it is the highest of those lines. Beyond all limits
it goes on along the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from runplan.dsl.expr.tree import Expr, Num, Op

EVENLY = "evenly"


def evenly(whole: Expr, parts: Iterable[tuple[Expr, Expr]]) -> Expr:
    """The passes over each of some amounts that make up a whole, none beyond its own limit."""
    return Op(EVENLY, (whole, *(arg for part in parts for arg in part)))


def level(args: Sequence[Any], functions: Any) -> Any:
    """The value of the operator at values of its arguments, floats or arrays (then with numpy's functions)."""
    whole, amounts, limits = args[0], args[1::2], args[2::2]
    if hasattr(functions, "argsort"):
        return _on_arrays(whole, amounts, limits, functions)
    best = -float("inf")
    taken, left = 0.0, sum(amounts)
    for limit, amount in sorted(zip(limits, amounts, strict=True)):
        best = max(best, (whole - taken) / left)
        taken += amount * limit
        left -= amount
        if left <= 1e-12 * amount:  # by rounding of the sums; the last one is in already
            break
    return best


def _on_arrays(whole: Any, amounts: Sequence[Any], limits: Sequence[Any], functions: Any) -> Any:
    """Element by element: for each limit, the line of those that reach theirs no earlier."""
    lines = []
    for own in limits:
        later = [functions.where(limit >= own, amount, 0.0) for limit, amount in zip(limits, amounts, strict=True)]
        before = (
            functions.where(limit < own, amount * limit, 0.0) for limit, amount in zip(limits, amounts, strict=True)
        )
        lines.append((whole - sum(before)) / sum(later))
    return reduce(functions.maximum, lines)


def level_slope(expr: Op, of: Callable[[Expr], Expr]) -> Expr:
    """The derivative of the operator by something, given those of its arguments: by that of what it is defined by."""
    whole, amounts, limits = expr.args[0], expr.args[1::2], expr.args[2::2]
    top = reduce(lambda a, b: Op("max", (a, b)), limits)
    none = Num(0.0)
    over, growing = of(whole), []
    for amount, limit in zip(amounts, limits, strict=True):
        more, further = of(amount), of(limit)
        if more != none:
            over = Op("-", (over, Op("*", (more, Op("min", (expr, limit))))))
        if further != none:
            over = Op("-", (over, Op("*", (further, Op("if", (Op("<", (limit, expr)), amount, none))))))
        growing.append(Op("if", (Op(">=", (limit, Op("min", (expr, top)))), amount, none)))
    return Op("/", (over, reduce(lambda a, b: Op("+", (a, b)), growing)))
