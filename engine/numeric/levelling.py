"""An expression to what of its form levels off: `m (a - b exp(-v))`, as more and more passes over data are worth less.

`m` and `v` are products of powers of parts: of names, and of what is the smaller of two. In
`u + u R (1 - exp((1 - D/u)/R))`, with `u = min(D, U)`, these are `u` for the first, and `D / (R u)` for the second,
which is `1 / R` at least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, factor
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.types import Any
from runplan.engine.numeric.functions import Monomial, signomial

# Figures that agree to so many digits are one: what is computed in two ways.
DIGITS = 12

# The exponents of parts, by their names, in an order.
_Powers = tuple[tuple[Name, float], ...]


@dataclass(frozen=True, slots=True)
class Levelling:
    """`m (a - b exp(-v))` with `b >= a > b exp(-least)`, so that it is positive wherever `v >= least`.

    Attributes:
        parts: Each part, with its exponents in `m` and in `v`.
        steepest: How fast the logarithm of the bracket rises with that of `v`, at most: as fast as at `least`. For
            `q = b exp(-v)` that is `v q / (a - q)`, which falls as `v` rises: `a (1 - v) <= b (1 - v) <= q`.
    """

    parts: tuple[tuple[Expr, float, float], ...]
    steepest: float


def levelling(expr: Expr, parts: Parts) -> Levelling | None:
    """What an expression is, every name in it a positive variable; None where it is of no such form.

    Args:
        parts: Of this expression and of others that it may have some in common with.
    """
    named = parts.named(expr)
    terms = None if named is None else signomial(named)
    if terms is None or len(terms) != 2:
        return None
    high, low = sorted(terms, key=lambda m: -m.coefficient)
    inner = [name for name in low.exponents if name in parts.exponents]
    if len(inner) != 1 or low.exponents[inner[0]] != 1.0 or len(parts.exponents[inner[0]]) != 1:
        return None
    (v,) = parts.exponents[inner[0]]
    a, b = high.coefficient, -low.coefficient
    rest = {name: e for name, e in low.exponents.items() if name != inner[0]}
    if rest != dict(high.exponents) or not b >= a > 0 or v.coefficient >= 0:
        return None
    least = -v.coefficient * parts.least(v.exponents)
    left = a - b * math.exp(-least)
    if left <= 0:
        return None
    names = dict.fromkeys((*high.exponents, *v.exponents))
    return Levelling(
        tuple((parts.expr(name), high.exponents.get(name, 0.0), v.exponents.get(name, 0.0)) for name in names),
        least * b * math.exp(-least) / left,
    )


class Parts:
    """Names for what of expressions is no sum of monomials: what several have in common is named once.

    Attributes:
        exponents: Of the name of an exponential, the monomials whose sum it is of.
    """

    def __init__(self) -> None:
        self.exponents: dict[Name, tuple[Monomial, ...]] = {}
        self._smaller: dict[Name, tuple[Monomial, Monomial]] = {}
        self._exprs: dict[Name, Expr] = {}
        self._known: dict[Any, Name] = {}
        # The expressions are kept, so that no other takes the place in memory of one that is gone.
        self._named: dict[int, tuple[Expr, Expr | None]] = {}

    def named(self, expr: Expr) -> Expr | None:
        """The expression over names alone; None where it has parts of another kind."""
        found = self._named.get(id(expr))
        if found is None:
            found = self._named[id(expr)] = expr, self._over_names(expr)
        return found[1]

    def _over_names(self, expr: Expr) -> Expr | None:
        if not isinstance(expr, Op):
            return expr if isinstance(expr, (Num, Ref)) else None
        args = [self.named(arg) for arg in expr.args]
        over = [arg for arg in args if arg is not None]
        if len(over) < len(args):
            return None
        named = Op(expr.op, tuple(over))
        if expr.op not in ("exp", "min") or signomial(named) is not None:
            return named
        terms = [found for arg in over if (found := signomial(arg)) is not None]
        if len(terms) < len(over):
            return None
        return self._exponential(terms[0]) if expr.op == "exp" else self._least(expr, *terms)

    def expr(self, name: Name) -> Expr:
        """What a name stands for."""
        return self._exprs.get(name, Ref(name))

    def least(self, powers: Mapping[Name, float]) -> float:
        """What a product of powers is at least: 0 but where that it has the smaller of two below it says more."""
        found = 0.0
        for name in powers.keys() & self._smaller.keys():
            for arm in self._smaller[name]:
                each = {other: arm.exponents.get(other, 0.0) * powers[name] for other in (*arm.exponents, *powers)}
                if powers[name] < 0 and all(
                    math.isclose(e, 0.0 if other == name else -powers.get(other, 0.0), abs_tol=1e-12)
                    for other, e in each.items()
                ):
                    found = max(found, arm.coefficient ** powers[name])
        return found

    def _exponential(self, terms: tuple[Monomial, ...]) -> Expr:
        still = math.fsum(m.coefficient for m in terms if not m.exponents)
        moving = tuple(m for m in terms if m.exponents)
        name = self._name(tuple(sorted((_powers(m), _figure(m.coefficient)) for m in moving)))
        self.exponents[name] = moving
        return Op("*", (Num(math.exp(min(still, 700.0))), Ref(name)))

    def _least(self, expr: Op, first: tuple[Monomial, ...], second: tuple[Monomial, ...]) -> Expr | None:
        """The smaller of two monomials as a figure times that of which the first has none."""
        if len(first) > 1 or len(second) > 1 or first[0].coefficient <= 0 or second[0].coefficient <= 0:
            return None
        (one,), (other,) = first, second
        by = other.coefficient / one.coefficient
        name = self._name((_powers(one), _powers(other), _figure(by)))
        self._smaller.setdefault(name, (Monomial(1.0, one.exponents), Monomial(by, other.exponents)))
        self._exprs.setdefault(name, Op("/", (expr, Num(one.coefficient))))
        return Op("*", (Num(one.coefficient), Ref(name)))

    def _name(self, key: Any) -> Name:
        return self._known.setdefault(key, factor(f"part {len(self._known)}"))


def _powers(m: Monomial) -> _Powers:
    return tuple(sorted(m.exponents.items()))


def _figure(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
