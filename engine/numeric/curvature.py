"""An expression over positive variables to how it bends in these, or in their logarithms, as far as its form proves it.

What the rules of composition prove convex has one minimum: the solver's answer is the best there is. They are those of
disciplined convex programming (Grant, Boyd & Ye 2006) for a function and, beside it, for its logarithm, as in geometric
programming (Agrawal, Diamond & Boyd 2019, arXiv:1812.04074). What they cannot prove may be convex all the same.

A monomial is a line in logarithms. In the variables themselves, its *figures*, a sum of them with weights is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Unbound
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.types import TYPE_CHECKING, Any, Literal
from runplan.engine.numeric.functions import Constant, LogSum, Monomial, Negated, Sum, Terms, signomial
from runplan.engine.numeric.local import Smooth

if TYPE_CHECKING:
    from runplan.engine.numeric.levelling import Parts

# What a function bends in: the logarithms of its variables, or these themselves.
Space = Literal["logarithms", "figures"]
# How a function bends: each of these, both where it is affine, neither where nothing is proven.
CONVEX, CONCAVE = 1, 2
AFFINE = CONVEX | CONCAVE
# A slope that is as small is none: rounding.
LEVEL = 1e-9


def _turned(bend: int) -> int:
    """The bend of what has the other sign."""
    return (CONCAVE if bend & CONVEX else 0) | (CONVEX if bend & CONCAVE else 0)


@dataclass(frozen=True, slots=True)
class Curvature:
    """How a function bends in the logarithms of its variables, or in these.

    Attributes:
        bend: Of the function itself.
        log: Of its logarithm, where it is positive.
        positive: Whether it is above zero everywhere, as far as its form tells.
        ways: By variable, 1 where it never falls as the variable rises, -1 where it never rises, 0 where unknown.
        number: The value, where it is the same everywhere.
        exponential: Whether there is an exponential in it: it may level off.
    """

    bend: int = 0
    log: int = 0
    positive: bool = False
    ways: Mapping[Any, int] = field(default_factory=dict)
    number: float | None = None
    exponential: bool = False

    def settled(self) -> Curvature:
        """With what follows: a function is convex where its logarithm is, and its logarithm concave where it is."""
        bend = self.bend | (self.log & CONVEX) if self.positive else self.bend
        log = self.log | (bend & CONCAVE) if self.positive else 0
        return self if (bend, log) == (self.bend, self.log) else replace(self, bend=bend, log=log)

    @property
    def is_one_way(self) -> bool:
        """Whether it is of one variable at most, with which it only rises or only falls: each level is one point."""
        return not self.ways or (len(self.ways) == 1 and all(self.ways.values()))


def _both(a: Curvature, b: Curvature, sign: int = 1) -> dict[Any, int]:
    """The ways of a sum, or of a product of what is positive, or of a difference or quotient by `sign`."""
    ways = dict(a.ways)
    for name, way in b.ways.items():
        ways[name] = sign * way if ways.get(name, sign * way) == sign * way else 0
    return ways


def _flipped(a: Curvature) -> dict[Any, int]:
    return {name: -way for name, way in a.ways.items()}


def _negative(a: Curvature) -> Curvature:
    return Curvature(_turned(a.bend), 0, a.number is not None and a.number < 0, _flipped(a))


def _plus(a: Curvature, b: Curvature) -> Curvature:
    positive = (a.positive and (b.positive or b.number == 0)) or (b.positive and a.number == 0)
    log = a.log & b.log & CONVEX if a.positive and b.positive else b.log if a.number == 0 else a.log
    return Curvature(a.bend & b.bend, log if positive else 0, positive, _both(a, b))


def _minus(a: Curvature, b: Curvature) -> Curvature:
    return _plus(a, _negative(b))


def _scaled(a: Curvature, by: float) -> Curvature:
    if by == 0:
        return _constant(0.0)
    if by < 0:
        return replace(_negative(a), positive=False)
    return replace(a, number=None)


def _times(a: Curvature, b: Curvature) -> Curvature:
    for one, other in ((a, b), (b, a)):
        if one.number is not None:
            return _scaled(other, one.number)
    if not (a.positive and b.positive):
        return Curvature(ways=dict.fromkeys({**a.ways, **b.ways}, 0))
    return Curvature(0, a.log & b.log, True, _both(a, b))


def _over(a: Curvature, b: Curvature) -> Curvature:
    if b.number:
        return _scaled(a, b.number)
    if not b.positive:
        return Curvature(ways=dict.fromkeys({**a.ways, **b.ways}, 0))
    below = Curvature(0, _turned(b.log), True, _flipped(b)).settled()
    return _times(a, below)


def _power(a: Curvature, b: Curvature) -> Curvature:
    if b.number is not None and a.positive:
        up = b.number >= 0
        bend = a.bend & CONVEX if b.number >= 1 else a.bend & CONCAVE if 0 <= b.number <= 1 else 0
        return Curvature(bend, a.log if up else _turned(a.log), True, a.ways if up else _flipped(a))
    if b.number is not None and b.number >= 2 and b.number % 2 == 0 and a.bend == AFFINE:
        return Curvature(CONVEX, ways=dict.fromkeys(a.ways, 0))
    if a.number is not None and a.number > 0:
        up = a.number >= 1
        return Curvature(0, b.bend if up else _turned(b.bend), True, b.ways if up else _flipped(b))
    return Curvature(ways=dict.fromkeys({**a.ways, **b.ways}, 0))


def _exponential(a: Curvature) -> Curvature:
    return Curvature(0, a.bend, True, a.ways)


def _logarithm(a: Curvature) -> Curvature:
    return Curvature(a.log, 0, False, a.ways) if a.positive else Curvature(ways=dict.fromkeys(a.ways, 0))


def _larger(a: Curvature, b: Curvature) -> Curvature:
    positive = a.positive or b.positive
    log = a.log & b.log & CONVEX if a.positive and b.positive else 0
    return Curvature(a.bend & b.bend & CONVEX, log, positive, _both(a, b))


def _smaller(a: Curvature, b: Curvature) -> Curvature:
    positive = a.positive and b.positive
    return Curvature(a.bend & b.bend & CONCAVE, a.log & b.log & CONCAVE if positive else 0, positive, _both(a, b))


def _size(a: Curvature) -> Curvature:
    if a.positive:
        return a
    return Curvature(CONVEX if a.bend == AFFINE else 0, 0, False, dict.fromkeys(a.ways, 0))


_RULES: Mapping[str, Callable[..., Curvature]] = {
    "neg": _negative,
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "^": _power,
    "sqrt": lambda a: _power(a, _constant(0.5)),
    "exp": _exponential,
    "ln": _logarithm,
    "log10": _logarithm,
    "max": _larger,
    "min": _smaller,
    "abs": _size,
}


def _constant(number: float) -> Curvature:
    return Curvature(AFFINE, AFFINE if number > 0 else 0, number > 0, {}, number)


def curvature(expr: Expr, space: Space = "logarithms") -> Curvature:
    """How an expression bends; every name in it is a positive variable."""
    return Bends(space).of(expr)


# Expressions that are remembered; beyond that it begins again.
MOST = 20_000


class Bends:
    """How expressions bend in a space: what they have in common is looked at once."""

    __slots__ = ("_found", "_parts", "_space")

    def __init__(self, space: Space) -> None:
        self._space = space
        # The expressions are kept, so that no other takes the place in memory of one that is gone.
        self._found: dict[int, tuple[Expr, Curvature]] = {}
        self._parts: Parts | None = None

    def of(self, expr: Expr) -> Curvature:
        """How an expression bends."""
        found = self._found.get(id(expr))
        if found is None:
            if len(self._found) >= MOST:
                self._found, self._parts = {}, None
            found = self._found[id(expr)] = expr, self._of(expr).settled()
        return found[1]

    def _of(self, expr: Expr) -> Curvature:
        if not isinstance(expr, (Num, Ref, Unbound, Op)):
            return Curvature()
        terms = signomial(expr)
        if terms is not None:
            return _of_sum([_of_monomial(m, self._space) for m in terms])
        assert isinstance(expr, Op), "a figure, or a name, is a monomial"
        parts = [self.of(arg) for arg in expr.args]
        if not any(part.ways or part.number is None for part in parts):
            try:
                return _constant(float(value_of(expr, {})))
            except (ArithmeticError, ValueError, KeyError):
                return Curvature()
        rule = _RULES.get(expr.op)
        if rule is None:
            return Curvature(ways={name: 0 for part in parts for name in part.ways})
        found = rule(*parts)
        if expr.op != "exp" and not any(part.exponential for part in parts):
            return found
        if expr.op in ("+", "-") and not (found.positive and (found.bend or found.log)):
            found = self._of_levelling(expr) or found
        return replace(found, exponential=True)

    def _of_levelling(self, expr: Expr) -> Curvature | None:
        """How `m (a - b exp(-v))` bends over its parts; None where an expression is of no such form.

        Over the logarithms of `m` and `v` its own is concave, since it rises ever slower with that of `v`. Over `t` and
        `x` it is concave where `m` is `t` and `v` is `x / t`: the perspective of a concave function (Boyd &
        Vandenberghe 2004, section 3.2.6). So it stays over parts that are concave, as far as it rises with them
        (section 3.2.4).
        """
        # What repeats nothing has no use for it: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.numeric.levelling import Parts, levelling

        self._parts = self._parts or Parts()
        found = levelling(expr, self._parts)
        if found is None:
            return None
        ways: dict[Any, int] = {}
        bend, log = CONCAVE, CONCAVE
        powers = sorted((m, v) for _, m, v in found.parts)
        if powers not in ([(0.0, 1.0)], [(0.0, 1.0), (1.0, -1.0)]):
            bend = 0
        for part, m, v in found.parts:
            over = self.of(part)
            slopes = (m, m + v * found.steepest)  # as `v` is large, and at its least
            way = 1 if min(slopes) >= -LEVEL else -1 if max(slopes) <= LEVEL else 0
            ways = _both(Curvature(ways=ways), replace(over, ways={name: way * own for name, own in over.ways.items()}))
            bend &= AFFINE if over.bend == AFFINE else _along(over.bend, way)
            log &= AFFINE if over.log == AFFINE else _along(over.log, way)
        return Curvature(bend, log, True, ways)


def _of_monomial(m: Monomial, space: Space) -> Curvature:
    if not m.exponents or not m.coefficient:
        return _constant(m.coefficient)
    ways = {name: 1 if power > 0 else -1 for name, power in m.exponents.items()}
    bend, log = (CONVEX, AFFINE) if space == "logarithms" else _in_figures(list(m.exponents.values()))
    return _scaled(Curvature(bend, log, True, ways), m.coefficient)


def _in_figures(exponents: list[float]) -> tuple[int, int]:
    """How a product of powers of positive figures bends, and its logarithm: a sum of logarithms, each concave.

    It is convex where no exponent is positive, or one is and all sum to 1 at least; concave where all are positive and
    sum to 1 at most (Boyd & Vandenberghe 2004, section 3.1.5 and exercise 3.16; of more than two figures it is the
    perspective of a power, section 3.2.6).
    """
    rising, total = [e for e in exponents if e > 0], math.fsum(exponents)
    every = len(rising) == len(exponents)
    convex = not rising or (len(rising) == 1 and total >= 1.0)
    bend = (CONVEX if convex else 0) | (CONCAVE if every and total <= 1.0 else 0)
    return bend, (CONCAVE if every else 0) | (0 if rising else CONVEX)


def _of_sum(parts: list[Curvature]) -> Curvature:
    total = parts[0].settled()
    for part in parts[1:]:
        total = _plus(total, part.settled()).settled()
    return total


def _along(bend: int, way: int) -> int:
    """How a concave function of something bends with it, by how that bends."""
    return (bend if way > 0 else _turned(bend) if way < 0 else 0) & CONCAVE


# ---- what is proven of a problem


def is_convex_objective(expr: Expr, *, bends: Bends | None = None, maximize: bool = False) -> bool:
    """Whether each point where an expression has no smaller, or no larger, value beside it has the best there is.

    Args:
        bends: Of other expressions in the space that is meant, with which it may have parts in common; none such, in
            logarithms, unless said.
    """
    found = (bends or Bends("logarithms")).of(expr)
    if found.is_one_way:
        return True
    if maximize:
        return bool((found.log if found.positive else found.bend) & CONCAVE)
    return bool((found.bend | found.log) & CONVEX)


def is_convex_limit(left: Expr, right: Expr, *, bends: Bends | None = None) -> bool:
    """Whether the points at which `left <= right` are a convex set in logarithms.

    Args:
        bends: Of other expressions in logarithms, with which it may have parts in common.
    """
    terms = signomial(Op("-", (left, right)))
    if terms is not None:
        large = [m for m in terms if m.coefficient < 0]
        small = [m for m in terms if m.coefficient > 0]
        if len(large) <= 1 or not small:
            return True
    return any(
        over.bend & CONVEX or over.log & CONVEX or over.is_one_way
        for over in _compared(left, right, bends or Bends("logarithms"))
    )


def _compared(left: Expr, right: Expr, bends: Bends) -> Iterator[Curvature]:
    """How the ratio of two expressions bends, then their difference."""
    return (bends.of(Op(op, (left, right))) for op in "/-")


def is_convex_in_figures(left: Expr, right: Expr) -> bool:
    """Whether the points at which `left <= right` are a convex set of figures."""
    terms = signomial(Op("-", (left, right)))
    if terms is not None and _of_sum([_of_monomial(m, "figures") for m in _cleared(terms)]).bend & CONVEX:
        return True
    return any(over.bend & CONVEX or over.is_one_way for over in _compared(left, right, Bends("figures")))


def is_straight_in_figures(left: Expr, right: Expr) -> bool:
    """Whether the points at which two expressions are equal are a convex set of figures."""
    terms = signomial(Op("-", (left, right)))
    return terms is not None and _of_sum([_of_monomial(m, "figures") for m in _cleared(terms)]).bend == AFFINE


def _cleared(terms: Terms) -> Terms:
    """A sum of monomials over the largest monomial that each has as a factor: it is above nothing where the sum is."""
    every = {name for m in terms for name in m.exponents}
    least = {name: min(m.exponents.get(name, 0.0) for m in terms) for name in every}

    def over(m: Monomial) -> Monomial:
        exponents = {name: m.exponents.get(name, 0.0) - lowest for name, lowest in least.items()}
        return Monomial(m.coefficient, {name: e for name, e in exponents.items() if e})

    return tuple(map(over, terms))


def is_straight(left: Expr, right: Expr) -> bool:
    """Whether the points at which two expressions are equal are a convex set in logarithms."""
    over = curvature(Op("/", (left, right)))
    return over.log == AFFINE or over.is_one_way


def is_convex_form(function: Smooth) -> bool:
    """Whether a function is convex by its form alone: what nearly all of planning is made of."""
    if isinstance(function, (LogSum, Constant)):
        return True
    if isinstance(function, Sum):
        return all(weight >= 0 or not any(row) for weight, row in function.rows)
    return isinstance(function, Negated) and isinstance(function.of, LogSum) and len(function.of.rows) == 1


def is_straight_form(function: Smooth) -> bool:
    """Whether a function is a line by its form alone."""
    return is_convex_form(function) and not (isinstance(function, LogSum) and len(function.rows) > 1)
