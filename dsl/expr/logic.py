"""A condition to where it may be kept, each way by comparisons of smooth sides; and to whether values keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, names, walk, words
from runplan.dsl.expr.values import value
from runplan.dsl.text.pattern import pattern
from runplan.dsl.types import Any
from runplan.dsl.units.base import DATE, GPU, NODE
from runplan.dsl.units.parse import number

# What is false where a comparison is true.
OPPOSITE = {"<=": ">", ">": "<=", ">=": "<", "<": ">=", "==": "!=", "!=": "=="}
# Operators that are one of their arguments, or minus it, by where they are.
PIECEWISE = ("if", "min", "max", "abs")
# Figures stand for the digits that they are written with, and for at most this share.
SHORT = 0.005
# Counts: each other one is another.
COUNTED = (GPU, NODE)
_MANTISSA = pattern(r"\s*(\d[\d_]*)(?:\.(\d+))?")


# ---- the ways to keep it


def ways(condition: Expr) -> Expr:
    """The condition by `and`, `or` and comparisons alone, of which no side bends where one piece of it meets another.

    `not` goes into the comparisons; an `if`, `min`, `max` or `abs` of a side becomes the pieces of it, each with
    where it holds. What is said in a probability stays as it is.
    """
    condition = affirmed(condition)
    if isinstance(condition, Op) and condition.op in ("and", "or"):
        return _in_a_row(condition.op, [ways(arg) for arg in condition.args])
    return _unbent(condition)


def _denied(condition: Expr) -> Expr:
    """The condition that holds where this one does not."""
    assert isinstance(condition, Op), "a condition compares something"
    if condition.op == "not":
        return condition.args[0]
    if condition.op in ("and", "or"):
        return Op("or" if condition.op == "and" else "and", tuple(map(_denied, condition.args)))
    return Op(OPPOSITE[condition.op], condition.args)


def affirmed(condition: Expr) -> Expr:
    """The condition without `not`, which goes into the comparisons."""
    if isinstance(condition, Op) and condition.op == "not":
        return affirmed(_denied(condition.args[0]))
    if isinstance(condition, Op) and condition.op in ("and", "or"):
        return Op(condition.op, tuple(map(affirmed, condition.args)), condition.span)
    return condition


def _in_a_row(op: str, parts: Sequence[Expr]) -> Expr:
    """Several conditions as one, those of the same kind in one row."""
    flat: list[Expr] = []
    for part in parts:
        flat += part.args if isinstance(part, Op) and part.op == op else [part]
    return flat[0] if len(flat) == 1 else Op(op, tuple(flat))


def _unbent(part: Expr) -> Expr:
    """A comparison by the pieces of what bends in it."""
    if not isinstance(part, Op) or part.op not in COMPARISONS:
        return part
    split = _split(part)
    if split is not None:
        return ways(split)
    bends = bent(part)
    if bends is None:
        return part
    return ways(Op("or", tuple(Op("and", (where, replaced(part, bends, piece))) for where, piece in pieces(bends))))


def _split(part: Op) -> Expr | None:
    """A bound on the largest of several as a bound on each, and so on; None for any other comparison."""
    if part.op in ("==", "!="):
        return None
    for at, side in enumerate(part.args):
        if isinstance(side, Op) and side.op in ("min", "max") and names(side):
            other = part.args[1 - at]
            bounded_above = (part.op in ("<=", "<")) == (at == 0)
            each = tuple(Op(part.op, (arg, other) if at == 0 else (other, arg)) for arg in side.args)
            return Op("and" if bounded_above == (side.op == "max") else "or", each)
    return None


def bent(expr: Expr) -> Op | None:
    """The first part that is made of pieces; None where there is none, and for what is said in a probability."""
    for item in walk(expr):
        if isinstance(item, Op) and item.op == "P":
            return None
        if isinstance(item, Op) and item.op in PIECEWISE and names(item):
            return item
    return None


def pieces(part: Op) -> tuple[tuple[Expr, Expr], ...]:
    """What a part that bends is, each with the condition under which it is that; one of them always holds."""
    first, second = part.args[0], part.args[-1]
    if part.op == "if":
        return (first, part.args[1]), (Op("not", (first,)), second)
    if part.op == "abs":
        return (Op(">=", (first, Num(0.0))), first), (Op("<=", (first, Num(0.0))), Op("neg", (first,)))
    sign = "<=" if part.op == "min" else ">="
    return (Op(sign, (first, second)), first), (Op(sign, (second, first)), second)


def replaced(expr: Expr, part: Expr, by: Expr) -> Expr:
    """The expression with another in the place of a part, wherever that stands in it."""
    if expr == part:
        return by
    if isinstance(expr, Op):
        return Op(expr.op, tuple(replaced(arg, part, by) for arg in expr.args))
    return expr


def clauses(condition: Expr) -> tuple[Expr, ...]:
    """The conditions, as `ways` gives them, that must all hold for one to hold."""
    return condition.args if isinstance(condition, Op) and condition.op == "and" else (condition,)


def parts(condition: Expr) -> Iterator[Expr]:
    """The comparisons that a condition, as `ways` gives it, is joined of."""
    if isinstance(condition, Op) and condition.op in ("and", "or"):
        for arg in condition.args:
            yield from parts(arg)
    else:
        yield condition


def gap(part: Op) -> float:
    """How near to a figure, as a share, is what `!=` leaves out: what the digits that it is written with do not tell.

    Of a count it is nothing: each other one is another. Of a date it is half a day.
    """
    figure = next((side for side in reversed(part.args) if isinstance(side, Num)), None)
    if figure is None:
        return SHORT
    if figure.dim in COUNTED:
        return 0.0
    if figure.dim == DATE:
        return 43200.0 / abs(figure.value)
    written = _MANTISSA.match(figure.text)
    if written is None:
        return SHORT
    decimals = written[2] or ""
    size = number(written[1] + (f".{decimals}" if decimals else ""))
    return min(SHORT, 0.5 * 10.0 ** -len(decimals) / size) if size else SHORT


# ---- whether it is kept


def kleene(condition: Expr, of: Callable[[Expr], bool | None]) -> bool | None:
    """Whether a condition holds, by whether what it joins does; None where that is not known.

    Unknown or true is true, and unknown and false is false.
    """
    if isinstance(condition, Op) and condition.op == "not":
        inner = kleene(condition.args[0], of)
        return None if inner is None else not inner
    if not isinstance(condition, Op) or condition.op not in ("and", "or"):
        return of(condition)
    decides, unknown = condition.op == "or", False
    for arg in condition.args:
        found = kleene(arg, of)
        if found is decides:
            return found
        unknown |= found is None
    return None if unknown else not decides


def needed(condition: Expr, *, to_fail: bool = False) -> frozenset[str]:
    """The words without a value of which a condition cannot be told to hold, as `kleene` tells it; or to fail."""
    if isinstance(condition, Op) and condition.op == "not":
        return needed(condition.args[0], to_fail=not to_fail)
    if not isinstance(condition, Op) or condition.op not in ("and", "or"):
        return words(condition)
    each = [needed(arg, to_fail=to_fail) for arg in condition.args]
    # One that holds is enough for `or`, and one that fails for `and` to fail.
    return frozenset.intersection(*each) if (condition.op == "or") != to_fail else frozenset.union(*each)


def verdict(condition: Expr, env: Mapping[Any, float], tolerance: float) -> bool | None:
    """Whether values keep a condition, up to a share; None where they do not tell.

    Raises:
        ArithmeticError, ValueError: Where a side has no value, and what else there is does not decide it.
    """

    def holds(part: Expr) -> bool | None:
        assert isinstance(part, Op), "a condition compares something"
        sides = sides_at(part, env)
        return None if sides is None else HOLDS[part.op](*sides, tolerance * max(map(abs, sides)), part)

    return kleene(affirmed(condition), holds)


def sides_at(part: Op, env: Mapping[Any, float]) -> tuple[float, float] | None:
    """What the sides of a comparison come to; None where the values do not tell."""
    if any(isinstance(item, Op) and item.op == "P" for item in walk(part)):
        return None
    try:
        left, right = (float(value(side, env)) for side in part.args)
    except KeyError:
        return None
    return left, right


# How each comparison is decided, up to a slack, of floats or of arrays.
HOLDS: Mapping[str, Callable[[Any, Any, Any, Op], Any]] = {
    "<=": lambda a, b, slack, part: a <= b + slack,
    "<": lambda a, b, slack, part: a < b - slack,
    ">=": lambda a, b, slack, part: a >= b - slack,
    ">": lambda a, b, slack, part: a > b + slack,
    "==": lambda a, b, slack, part: abs(a - b) <= slack,
    "!=": lambda a, b, slack, part: (abs(a - b) > gap(part) * abs(b) - slack) & (abs(a - b) > slack),
}


def failing(condition: Expr, env: Mapping[Any, float], tolerance: float) -> Iterator[Op]:
    """The comparisons by which values break a condition: of an `and` the first that they break, of an `or` all."""
    condition = affirmed(condition)
    if verdict(condition, env, tolerance) is not False:
        return
    if isinstance(condition, Op) and condition.op in ("and", "or"):
        every = [list(failing(arg, env, tolerance)) for arg in condition.args]
        broken = [found for found in every if found]
        for found in broken[: 1 if condition.op == "and" else None]:
            yield from found
    elif isinstance(condition, Op):
        yield condition


def known_ways(condition: Expr, known: Callable[[Expr], bool]) -> Expr | None:
    """What of a condition, as `ways` gives it, is about known names: ways that are not are left out; None for all."""
    if not isinstance(condition, Op) or condition.op not in ("and", "or"):
        return condition if known(condition) else None
    kept = [known_ways(arg, known) for arg in condition.args]
    left = [part for part in kept if part is not None]
    if not left or (condition.op == "and" and len(left) < len(kept)):
        return None
    return condition if len(left) == len(kept) else _in_a_row(condition.op, left)
