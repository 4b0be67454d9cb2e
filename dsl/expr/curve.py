"""A table to a smooth curve through its rows on log-log axes, and the curve's slope and bend.

In an expression it is an operator over its argument and the rows, `curve(x, x1, y1, x2, y2, ...)`: what walks, binds
or prints expressions needs no rule for it. Between rows it is the monotone cubic of Fritsch & Carlson (SIAM J. Numer.
Anal. 17, 1980): no value lies outside those of the rows beside it. Beyond the first and last row it is flat. Value and
slope are continuous, so that a solver can follow it, and an answer moves little with the question.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.types import Any

# The curve, d ln y / d ln x, and the derivative of that by ln x.
ORDERS = {"curve": 0, "curve_slope": 1, "curve_bend": 2}

# For each stretch its coefficients, constant first, in the distance from its left end in ln x.
Pieces = tuple[tuple[float, ...], tuple[tuple[float, float, float, float], ...]]


def curve(x: Expr, rows: Iterable[tuple[Num, Num]]) -> Expr:
    """The value of a table at `x`; a table of one row is its value."""
    args = tuple(number for row in rows for number in row)
    return args[1] if len(args) == 2 else Op("curve", (x, *args))


def evaluator(op: str, rows: Sequence[Expr], functions: Any) -> Callable[[Any], Any]:
    """The function of `x`, a float or an array (then with numpy's functions), of an operator in `ORDERS`.

    Raises:
        ValueError: From the function, for an `x` that is not positive.
    """
    numbers = [row.value for row in rows if isinstance(row, Num)]
    knots, pieces = _pieces(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    order = ORDERS[op]
    if hasattr(functions, "searchsorted"):
        return lambda x: _on_array(knots, pieces, order, x, functions)

    def value(x: float) -> float:
        at = math.log(x)
        i = bisect_right(knots, at)
        d, c, b, a = pieces[i]
        t = at - knots[i - 1] if i else 0.0
        if order == 2:
            return 2.0 * b + 6.0 * a * t
        if order == 1:
            return c + t * (2.0 * b + t * 3.0 * a)
        return math.exp(d + t * (c + t * (b + t * a)))

    return value


def _on_array(knots: Sequence[float], pieces: Sequence[Sequence[float]], order: int, x: Any, functions: Any) -> Any:
    at = functions.log(x)
    i = functions.searchsorted(functions.asarray(knots), at, side="right")
    d, c, b, a = (functions.asarray(column)[i] for column in zip(*pieces, strict=True))
    t = at - functions.asarray([knots[0], *knots])[i]
    if order == 2:
        return 2.0 * b + 6.0 * a * t
    if order == 1:
        return c + t * (2.0 * b + t * 3.0 * a)
    return functions.exp(d + t * (c + t * (b + t * a)))


def _pieces(rows: Sequence[tuple[float, float]]) -> Pieces:
    """The knots in ln x, and the cubic of each stretch: before the first knot, between each two, after the last."""
    xs = [math.log(x) for x, _ in rows]
    ys = [math.log(y) for _, y in rows]
    wide = [b - a for a, b in pairwise(xs)]
    rise = [(b - a) / w for (a, b), w in zip(pairwise(ys), wide, strict=True)]
    slopes = [0.0, *(_between(rise[i], rise[i + 1], wide[i], wide[i + 1]) for i in range(len(wide) - 1)), 0.0]
    out = [(ys[0], 0.0, 0.0, 0.0)]
    for i, w in enumerate(wide):
        left, right, mean = slopes[i], slopes[i + 1], rise[i]
        out.append((ys[i], left, (3 * mean - 2 * left - right) / w, (left + right - 2 * mean) / w**2))
    out.append((ys[-1], 0.0, 0.0, 0.0))
    return tuple(xs), tuple(out)


def _between(left: float, right: float, wide_left: float, wide_right: float) -> float:
    """The slope at a row: none where the table turns, else the weighted harmonic mean of those on both sides."""
    if left * right <= 0.0:
        return 0.0
    a, b = 2 * wide_right + wide_left, wide_right + 2 * wide_left
    return (a + b) / (a / left + b / right)
