"""A box of logarithms and expressions over it to how low a goal can be there, by branch and bound over intervals.

This proves what convexity does not: that no point of any box is better than the one that was found, or that none keeps
the limits. An expression over a box lies within its interval (Moore, Kearfott & Cloud 2009, chapter 5); a box that
cannot keep a limit, or cannot be better, is left out, and the one that may be best is halved.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.types import Any
from runplan.engine.numeric.functions import Monomial, signomial

Interval = tuple[float, float]
Box = tuple[Interval, ...]
Enclosure = Callable[[Box], Interval]

EVERYTHING: Interval = (-math.inf, math.inf)
# A limit counts as kept up to this share: figures are compared to rounding, and bounds end there.
KEPT = 1e-9
# Boxes narrower than this, in logarithms, are not halved further.
NARROW = 1e-9
# A contraction by less than this share of a side is not worth another round.
WORTH, ROUNDS = 0.1, 6


@dataclass(frozen=True, slots=True)
class Limit:
    """`left <= right` over a box; both ways where `equal`."""

    left: Expr
    right: Expr
    equal: bool = False


# ---- intervals


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _product(p: float, q: float) -> float:
    return 0.0 if p == 0.0 or q == 0.0 else p * q


def _plus(a: Interval, b: Interval) -> Interval:
    return _sound(a[0] + b[0], a[1] + b[1])


def _minus(a: Interval, b: Interval) -> Interval:
    return _sound(a[0] - b[1], a[1] - b[0])


def _times(a: Interval, b: Interval) -> Interval:
    ends = [_product(p, q) for p in a for q in b]
    return _sound(min(ends), max(ends))


def _over(a: Interval, b: Interval) -> Interval:
    if b[0] <= 0.0 <= b[1]:
        return EVERYTHING
    return _times(a, (1.0 / b[1], 1.0 / b[0]))


def _logarithm(a: Interval) -> Interval:
    if a[1] <= 0.0:
        return EVERYTHING
    return (math.log(a[0]) if a[0] > 0.0 else -math.inf, math.log(a[1]) if a[1] < math.inf else math.inf)


def _power(a: Interval, b: Interval) -> Interval:
    if a[0] < 0.0:
        even = b[0] == b[1] and math.isfinite(b[0]) and b[0] > 0.0 and math.fmod(b[0], 2.0) == 0.0
        return _power(_size(a), b) if even else EVERYTHING
    low, high = _times(_logarithm(a), b)
    return (_exp(low) if low > -math.inf else 0.0, _exp(high))


def _size(a: Interval) -> Interval:
    if a[0] >= 0.0:
        return a
    return (0.0 if a[1] >= 0.0 else -a[1], max(-a[0], a[1]))


def _sound(low: float, high: float) -> Interval:
    return (-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)


_RULES: Mapping[str, Callable[..., Interval]] = {
    "neg": lambda a: (-a[1], -a[0]),
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "^": _power,
    "sqrt": lambda a: _power(a, (0.5, 0.5)),
    "exp": lambda a: (_exp(a[0]), _exp(a[1])),
    "ln": _logarithm,
    "log10": lambda a: _times(_logarithm(a), (1.0 / math.log(10.0), 1.0 / math.log(10.0))),
    "min": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "max": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "abs": _size,
}


def enclosure(expr: Expr, variables: Sequence[Any]) -> Enclosure:
    """An expression over a box (k) of logarithms to an interval of its values; all numbers where none is known."""
    made: dict[int, Enclosure] = {}
    kept: list[Expr] = []  # so that no other takes the place in memory, and the name, of one that is gone

    def part(item: Expr) -> Enclosure:
        if id(item) not in made:
            made[id(item)] = of(item)
        return made[id(item)]

    def of(item: Expr) -> Enclosure:
        if isinstance(item, Num):
            number = (item.value, item.value)
            return lambda box: number
        terms = signomial(item)
        if terms is not None:
            return _of_sum(terms, variables)
        if (other := _times_over(item)) is not None and isinstance(item, Op):
            kept.append(ratio := Op("/", (item.args[0], other)))
            whole, once, times, below = map(part, (item.args[0], other, ratio, item.args[1]))
            return lambda box: _at_least_one(whole(box), once(box), times(box), below(box))
        rule = _RULES.get(item.op) if isinstance(item, Op) else None
        if rule is None or not isinstance(item, Op):
            return lambda box: EVERYTHING
        args = [part(arg) for arg in item.args]
        if len(args) == 1:
            (only,) = args
            return lambda box: rule(only(box))
        first, second = args
        return lambda box: rule(first(box), second(box))

    return part(expr)


def _times_over(item: Expr) -> Expr | None:
    """The b of `a / min(a, b)`, how many times a is there; None of another form."""
    if isinstance(item, Op) and item.op == "/" and isinstance(below := item.args[1], Op) and below.op == "min":
        over = item.args[0]
        return next((other for same, other in (below.args, below.args[::-1]) if same == over), None)
    return None


def _at_least_one(a: Interval, b: Interval, ratio: Interval, below: Interval) -> Interval:
    """`a / min(a, b)`: where both are positive `max(1, a / b)`, whose interval begins at one."""
    return _RULES["max"]((1.0, 1.0), ratio) if a[0] > 0.0 and b[0] > 0.0 else _over(a, below)


def _of_sum(terms: Sequence[Monomial], variables: Sequence[Any]) -> Enclosure:
    rows = [(m.coefficient, [(i, m.exponents[v]) for i, v in enumerate(variables) if v in m.exponents]) for m in terms]

    def over(box: Box) -> Interval:
        low = high = 0.0
        for c, row in rows:
            least = sum(e * (box[i][0] if e > 0 else box[i][1]) for i, e in row)
            most = sum(e * (box[i][1] if e > 0 else box[i][0]) for i, e in row)
            ends = (c * _exp(least), c * _exp(most))
            low, high = low + min(ends), high + max(ends)
        return _sound(low, high)

    return over


# ---- lines that hold over a box

# `b + sum of a_i x_i <= 0`.
Row = tuple[float, tuple[tuple[int, float], ...]]


def _rows(limit: Limit, variables: Sequence[Any]) -> Iterator[Row]:
    """What a limit says of logarithms in lines: each part of a sum is at most what the sum is at most."""
    for left, right in ((limit.left, limit.right), *(((limit.right, limit.left),) if limit.equal else ())):
        terms = signomial(Op("-", (left, right)))
        if terms is None:
            continue
        large = [m for m in terms if m.coefficient < 0]
        if len(large) != 1:
            continue
        for m in terms:
            if m.coefficient > 0:
                powers = {v: m.exponents.get(v, 0.0) - large[0].exponents.get(v, 0.0) for v in variables}
                row = tuple((i, powers[v]) for i, v in enumerate(variables) if powers[v])
                yield math.log(m.coefficient / -large[0].coefficient), row


def _contracted(box: Box, rows: Sequence[Row]) -> Box | None:
    """The part of a box in which lines can hold; None where there is none."""
    sides = [list(side) for side in box]
    for _ in range(ROUNDS):
        moved = False
        for b, row in rows:
            least = [a * (sides[i][0] if a > 0 else sides[i][1]) for i, a in row]
            total = b + sum(least)
            if total > KEPT:
                return None
            for (i, a), own in zip(row, least, strict=True):
                end = (KEPT - (total - own)) / a
                at = 1 if a > 0 else 0
                gained = sides[i][1] - end if a > 0 else end - sides[i][0]
                if gained > 0.0:
                    moved |= gained > WORTH * (sides[i][1] - sides[i][0])
                    sides[i][at] = end
                    if sides[i][0] > sides[i][1]:
                        return None
        if not moved:
            break
    return tuple((low, high) for low, high in sides)


# ---- branch and bound


def least_possible(
    goal: Expr | None,
    limits: Sequence[Limit],
    variables: Sequence[Any],
    box: Box,
    *,
    best: float,
    gap: float,
    boxes: int,
) -> float:
    """A bound from below on a goal over the points of a box (k) that keep the limits; inf where none does.

    Args:
        goal: None where it is only asked whether any point keeps the limits: then it counts as zero.
        best: A value that is reached: the bound need not come nearer to it than `gap`.
        gap: In units of the goal.
        boxes: How many boxes to look at before the bound is what it is.
    """
    search = _Search(goal, limits, variables)
    whole = search.bounded(box)
    if whole is None:
        return math.inf
    left = [(whole[0], 0, whole[1])]
    for count in range(1, boxes):
        if not left or left[0][0] >= best - gap:
            break
        low, _, widest = left[0]
        side = max(search.about, key=lambda i: widest[i][1] - widest[i][0], default=None)
        if side is None or widest[side][1] - widest[side][0] < NARROW:
            break
        # Now and then, as it costs half of what the halves do.
        if (
            goal is None
            and count & (count - 1) == 0
            and search.bounded(tuple((m, m) for low, high in widest for m in (0.5 * (low + high),)))
        ):
            break  # a point that no box can be without
        heapq.heappop(left)
        middle = 0.5 * (widest[side][0] + widest[side][1])
        for n, half in enumerate(((widest[side][0], middle), (middle, widest[side][1]))):
            found = search.bounded((*widest[:side], half, *widest[side + 1 :]))
            if found is not None:
                heapq.heappush(left, (max(found[0], low), 2 * count + n, found[1]))
    return left[0][0] if left else math.inf


class _Search:
    """What is asked of each box."""

    def __init__(self, goal: Expr | None, limits: Sequence[Limit], variables: Sequence[Any]) -> None:
        self.goal = None if goal is None else enclosure(goal, variables)
        self.rows = [row for limit in limits for row in _rows(limit, variables)]
        self.limits = [
            (enclosure(limit.left, variables), enclosure(limit.right, variables), limit.equal) for limit in limits
        ]
        self.about = range(len(variables))

    def bounded(self, box: Box) -> tuple[float, Box] | None:
        """How low the goal can be in a box, and the part of it that is left; None where no point keeps the limits."""
        part = _contracted(box, self.rows)
        if part is None:
            return None
        for of_left, of_right, equal in self.limits:
            left, right = of_left(part), of_right(part)
            if _above(left, right) or (equal and _above(right, left)):
                return None
        return (0.0 if self.goal is None else self.goal(part)[0]), part


def _above(a: Interval, b: Interval) -> bool:
    """Whether all of one interval is above all of another, by more than rounding."""
    return a[0] - b[1] > KEPT * max(abs(a[0]), abs(b[1]))
