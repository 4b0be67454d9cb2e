"""Expressions to functions with first and second derivatives, each part of them computed once at a point.

A value travels through the expression with its gradient and its Hessian over the logarithms of the variables (forward
differentiation to second order), so that the work grows with the expression and not with what its derivatives would
be, written out. Sums of monomials in it are taken as one part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import eq, ge, gt, le, lt, ne

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr import curve
from runplan.dsl.expr.evenly import EVENLY, reached
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.expr.values import Functions
from runplan.dsl.types import Any
from runplan.engine.numeric.algebra import Matrix, Vector

# A sum of more monomials than this is taken apart further.
MANY = 24


@dataclass(frozen=True, slots=True)
class Jet:
    """A value at a point with its derivatives; neither where it is the same everywhere.

    Attributes:
        gradient: (k), by the logarithm of each variable.
        hessian: (k, k).
    """

    value: Any
    gradient: Vector | None = None
    hessian: Matrix | None = None


At = Callable[[Sequence[float], dict[int, Jet]], Jet]


def chained(a: Jet, value: float, first: float, second: float) -> Jet:
    """A function of one argument, by its value and derivatives there."""
    if a.gradient is None or a.hessian is None:
        return Jet(value)
    g = a.gradient
    return Jet(
        value,
        [first * ai for ai in g],
        [
            [first * h + second * u * w for h, w in zip(row, g, strict=True)]
            for row, u in zip(a.hessian, g, strict=True)
        ],
    )


def plus(a: Jet, b: Jet, sign: float = 1.0) -> Jet:
    """The sum, or the difference."""
    value = a.value + sign * b.value
    if b.gradient is None or b.hessian is None:
        return Jet(value, a.gradient, a.hessian)
    if a.gradient is None or a.hessian is None:
        return Jet(value, [sign * g for g in b.gradient], [[sign * h for h in row] for row in b.hessian])
    return Jet(
        value,
        [p + sign * q for p, q in zip(a.gradient, b.gradient, strict=True)],
        [[p + sign * q for p, q in zip(r, s, strict=True)] for r, s in zip(a.hessian, b.hessian, strict=True)],
    )


def times(a: Jet, b: Jet) -> Jet:
    """The product."""
    u, v = a.value, b.value
    if b.gradient is None or b.hessian is None:
        return chained(a, u * v, v, 0.0)
    if a.gradient is None or a.hessian is None:
        return chained(b, u * v, u, 0.0)
    rows = zip(a.hessian, b.hessian, a.gradient, b.gradient, strict=True)
    return Jet(
        u * v,
        [v * p + u * q for p, q in zip(a.gradient, b.gradient, strict=True)],
        [
            [v * h + u * k + p * y + q * x for h, k, x, y in zip(r, s, a.gradient, b.gradient, strict=True)]
            for r, s, p, q in rows
        ],
    )


def over(a: Jet, b: Jet) -> Jet:
    """The quotient."""
    v = b.value
    return times(a, chained(b, 1.0 / v, -1.0 / v**2, 2.0 / v**3))


def power(a: Jet, b: Jet) -> Jet:
    """`a ^ b`, by its logarithm where the exponent moves."""
    u, p = a.value, b.value
    value = Functions.power(u, p)
    if b.gradient is not None:
        log = times(b, chained(a, math.log(u), 1.0 / u, -1.0 / u**2))
        return chained(log, value, value, value)
    if a.gradient is None:
        return Jet(value)
    return chained(a, value, p * Functions.power(u, p - 1.0), p * (p - 1.0) * Functions.power(u, p - 2.0))


def of_one(lib: Any) -> dict[str, Callable[[Jet], Jet]]:
    """The smooth functions of one argument, by word.

    Args:
        lib: What computes them: `Functions` of a number, numpy of arrays, a point an element.
    """

    def exponential(a: Jet) -> Jet:
        value = lib.exp(a.value)
        return chained(a, value, value, value)

    def logarithm(a: Jet) -> Jet:
        u = a.value
        return chained(a, lib.log(u), 1.0 / u, -1.0 / u**2)

    def root(a: Jet) -> Jet:
        value = lib.sqrt(a.value)  # of nought a number, but no derivative
        return chained(a, value, 0.5 / value, -0.25 / value**3) if a.gradient is not None else Jet(value)

    return {
        "neg": lambda a: chained(a, -a.value, -1.0, 0.0),
        "exp": exponential,
        "ln": logarithm,
        "log10": lambda a: chained(logarithm(a), lib.log10(a.value), 1.0 / math.log(10.0), 0.0),
        "sqrt": root,
    }


# What is computed alike of numbers and of arrays.
OF_TWO: dict[str, Callable[[Jet, Jet], Jet]] = {
    "+": plus,
    "-": lambda a, b: plus(a, b, -1.0),
    "*": times,
    "/": over,
}


def _evenly(args: Sequence[Jet]) -> Jet:
    """What is left of the whole by those that have reached their limits, over the amounts of the others."""
    amounts, limits = args[1::2], args[2::2]
    done = reached([arg.value for arg in args])
    left, open_ = args[0], Jet(0.0)
    for amount, limit, full in zip(amounts, limits, done, strict=True):
        if full:
            left = plus(left, times(amount, limit), -1.0)
        else:
            open_ = plus(open_, amount)
    return over(left, open_)


_ONE: dict[str, Callable[[Jet], Jet]] = {
    **of_one(Functions),
    "abs": lambda a: chained(a, abs(a.value), math.copysign(1.0, a.value), 0.0),
    "not": lambda a: Jet(not a.value),
    "ceil": lambda a: Jet(float(math.ceil(a.value))),  # flat, but at whole numbers
}
_TWO: dict[str, Callable[[Jet, Jet], Jet]] = {
    **OF_TWO,
    "^": power,
    "min": lambda a, b: a if a.value <= b.value else b,
    "max": lambda a, b: a if a.value >= b.value else b,
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {"<=": le, ">=": ge, "<": lt, ">": gt, "==": eq, "!=": ne}


class Jets:
    """Expressions over some variables to their jets: what several have in common is made once for all of them.

    Args:
        sum_of: The function of what is a sum of monomials; None for what is none.
    """

    __slots__ = ("_kept", "_made", "_sum_of")

    def __init__(self, sum_of: Callable[[Expr], At | None]) -> None:
        self._sum_of = sum_of
        self._made: dict[int, At] = {}
        self._kept: list[Expr] = []  # so that no other takes the place in memory, and the name, of one that is gone

    def of(self, expr: Expr) -> Callable[[Sequence[float]], Jet]:
        """A function of a point (k), in logarithms of the variables, to the expression's jet.

        It raises ArithmeticError or ValueError outside the domain.
        """
        whole = self._part(expr)
        return lambda x: whole(x, {})

    def _part(self, item: Expr) -> At:
        key = id(item)
        if key not in self._made:
            self._kept.append(item)
            own = _part(item, self._part, self._sum_of)
            self._made[key] = own if isinstance(item, Num) else _once(key, own)
        return self._made[key]


def _once(key: int, own: At) -> At:
    def at(x: Sequence[float], known: dict[int, Jet]) -> Jet:
        found = known.get(key)
        if found is None:
            found = known[key] = own(x, known)
        return found

    return at


def _part(item: Expr, part: Callable[[Expr], At], sum_of: Callable[[Expr], At | None]) -> At:
    if isinstance(item, Num):
        number = Jet(item.value)
        return lambda x, known: number
    plain = sum_of(item)
    if plain is not None:
        return plain
    if not isinstance(item, Op):
        raise ValueError(f"{item} has no value at a point")
    op = item.op
    if op in curve.ORDERS:
        return _curve(part(item.args[0]), item)
    args = [part(arg) for arg in item.args]
    if op == "if":
        test, then, otherwise = args
        return lambda x, known: then(x, known) if test(x, known).value else otherwise(x, known)
    if op == EVENLY:
        return lambda x, known: _evenly([arg(x, known) for arg in args])
    if op in ("and", "or"):
        fold = all if op == "and" else any
        return lambda x, known: Jet(fold(arg(x, known).value for arg in args))
    if op in _ONE:
        one, (only,) = _ONE[op], args
        return lambda x, known: one(only(x, known))
    a, b = args
    if op in _TESTS:
        compare = _TESTS[op]
        return lambda x, known: Jet(compare(a(x, known).value, b(x, known).value))
    if op not in _TWO:
        raise ValueError(f"`{op}` has no derivative")
    two = _TWO[op]
    return lambda x, known: two(a(x, known), b(x, known))


def _curve(at: At, item: Op) -> At:
    """A table's curve: its slope and its bend are those of its logarithm by that of the argument."""
    value, slope, bend = (curve.evaluator(order, item.args[1:], Functions) for order in curve.ORDERS)
    if item.op != "curve":
        raise ValueError(f"`{item.op}` has no derivative here")

    def of(x: Sequence[float], known: dict[int, Jet]) -> Jet:
        a = at(x, known)
        u, y = a.value, value(a.value)
        s = slope(u)
        return chained(a, y, y * s / u, y * (s * s + bend(u) - s) / u**2)

    return of
