"""Amounts with limits to how often each is passed over when all are, until it has reached its limit, equally often.

In an expression it is an operator over what is taken together, the amounts and their limits: the level e of
`evenly(v, a1, m1, a2, m2, ...)` is such that the sum of `a_i * min(e, m_i)` is v. It grows with v along a line that
gets steeper each time that an amount has reached its limit, so that it is the highest of those lines. Beyond all limits
it goes on along the last one. `evenly_open`, over the same, is the sum of the amounts that are short of their limits:
one over it is the slope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from runplan.dsl.expr.tree import Expr, Num, Op

EVENLY, OPEN = "evenly", "evenly_open"
_NONE = Num(0.0)


def evenly(whole: Expr, parts: Iterable[tuple[Expr, Expr]]) -> Expr:
    """The passes over each of some amounts that make up a whole, none beyond its own limit."""
    return Op(EVENLY, (whole, *(arg for part in parts for arg in part)))


def level(op: str, args: Sequence[Any], functions: Any) -> Any:
    """The value of either operator at values of its arguments, floats or arrays (then with numpy's functions)."""
    whole, amounts, limits = args[0], args[1::2], args[2::2]
    if hasattr(functions, "argsort"):
        return _on_arrays(op, whole, amounts, limits, functions)
    best, open_ = -float("inf"), 0.0
    taken, left = 0.0, sum(amounts)
    for limit, amount in sorted(zip(limits, amounts, strict=True)):
        line = (whole - taken) / left
        if line > best:
            best, open_ = line, left
        taken += amount * limit
        left -= amount
        if left <= 1e-12 * amount:  # by rounding of the sums; the last one is in already
            break
    return best if op == EVENLY else open_


def _on_arrays(op: str, whole: Any, amounts: Sequence[Any], limits: Sequence[Any], functions: Any) -> Any:
    """Element by element: for each limit, the line of those that reach theirs no earlier."""
    found = []
    for own in limits:
        before, later = 0.0, 0.0
        for limit, amount in zip(limits, amounts, strict=True):
            before = before + functions.where(limit < own, amount * limit, 0.0)
            later = later + functions.where(limit >= own, amount, 0.0)
        found.append(((whole - before) / later, later))
    best = reduce(functions.maximum, (line for line, _ in found))
    if op == EVENLY:
        return best
    return reduce(functions.minimum, (functions.where(line == best, left, float("inf")) for line, left in found))


def slope(expr: Op, of: Callable[[Expr], Expr]) -> Expr:
    """The derivative of either operator by something, given those of its arguments: by that of what defines it."""
    amounts, limits = expr.args[1::2], expr.args[2::2]
    at = Op(EVENLY, expr.args)
    more, further = [of(amount) for amount in amounts], [of(limit) for limit in limits]
    if expr.op == OPEN:
        top = reduce(lambda a, b: Op("max", (a, b)), limits)
        short = (Op(">=", (limit, Op("min", (at, top)))) for limit in limits)
        parts: list[Expr] = [
            Op("if", (test, own, _NONE)) for test, own in zip(short, more, strict=True) if own != _NONE
        ]
        return reduce(lambda a, b: Op("+", (a, b)), parts) if parts else _NONE
    over = of(expr.args[0])
    for amount, limit, own, own_limit in zip(amounts, limits, more, further, strict=True):
        if own != _NONE:
            over = Op("-", (over, Op("*", (own, Op("min", (at, limit))))))
        if own_limit != _NONE:
            over = Op("-", (over, Op("*", (own_limit, Op("if", (Op("<", (limit, at)), amount, _NONE))))))
    return Op("/", (over, Op(OPEN, expr.args)))
