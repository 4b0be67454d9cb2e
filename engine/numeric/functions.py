"""Expressions over positive variables to functions of their logarithms, with first and second derivatives.

Nearly all of planning is sums of monomials (`E + A N^-a + B D^-b`, `6 N D <= C`); these are taken apart once and are
linear, or convex, in the logarithms. What is not goes part by part through the expression, with its derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Unbound, kept
from runplan.dsl.expr.values import value
from runplan.dsl.types import Any
from runplan.engine.numeric.jets import MANY, At, Jet, Jets
from runplan.engine.numeric.local import Point, Smooth

# What goes part by part is asked for at one point more than once, by searches from there and by who measures the end;
# it is kept for this many points.
POINTS = 64


@dataclass(frozen=True, slots=True)
class Monomial:
    """`coefficient * product(variable^exponent)`."""

    coefficient: float
    exponents: Mapping[Any, float]


Terms = tuple[Monomial, ...]


def signomial(expr: Expr) -> Terms | None:
    """The expression as a sum of monomials; None where it is none. Every name in it is a variable."""
    if isinstance(expr, Num):
        return (Monomial(expr.value, {}),)
    if isinstance(expr, (Ref, Unbound)):
        return (Monomial(1.0, {expr.name: 1.0}),)
    return kept(expr, _of_operator) if isinstance(expr, Op) else None


def _of_operator(expr: Op) -> Terms | None:
    parts: list[Terms] = []
    for arg in expr.args:
        part = signomial(arg)
        if part is None:
            return None
        parts.append(part)
    if expr.op in _SIGNOMIALS:
        return _SIGNOMIALS[expr.op](*parts)
    return _constant(expr) if all(len(part) == 1 and not part[0].exponents for part in parts) else None


def _negative(a: Terms) -> Terms:
    return tuple(Monomial(-m.coefficient, m.exponents) for m in a)


def _quotient(a: Terms, b: Terms) -> Terms | None:
    if len(b) > 1 or not b[0].coefficient:
        return None
    below = _power(b[0], -1.0)
    return None if below is None else _collected([_product(m, below) for m in a])


def _raised(a: Terms, b: Terms) -> Terms | None:
    if len(a) > 1 or len(b) > 1 or b[0].exponents:
        return None
    raised = _power(a[0], b[0].coefficient)
    return None if raised is None else (raised,)


def _exponential(a: Terms) -> Terms | None:
    if len(a) > 1 or a[0].exponents:
        return None
    found = _exp(a[0].coefficient)
    return (Monomial(found, {}),) if math.isfinite(found) else None


# Each operator that may leave a sum of monomials one, and what of its arguments does.
_SIGNOMIALS: Mapping[str, Callable[..., Terms | None]] = {
    "neg": _negative,
    "+": lambda a, b: _collected([*a, *b]),
    "-": lambda a, b: _collected([*a, *_negative(b)]),
    "*": lambda a, b: _collected([_product(m, n) for m in a for n in b]),
    "/": _quotient,
    "^": _raised,
    "sqrt": lambda a: _raised(a, (Monomial(0.5, {}),)),
    "exp": _exponential,
}


def _constant(expr: Expr) -> Terms | None:
    """A figure of figures alone, by whatever function, as a monomial of no variable."""
    try:
        found = float(value(expr, {}))
    except (ArithmeticError, ValueError, KeyError):
        return None
    return (Monomial(found, {}),) if math.isfinite(found) else None


def _product(a: Monomial, b: Monomial) -> Monomial:
    exponents = dict(a.exponents)
    for name, e in b.exponents.items():
        exponents[name] = exponents.get(name, 0.0) + e
    return Monomial(a.coefficient * b.coefficient, {n: e for n, e in exponents.items() if e})


def _power(m: Monomial, exponent: float) -> Monomial | None:
    try:
        value = m.coefficient**exponent
    except (OverflowError, ZeroDivisionError):
        return None
    if isinstance(value, complex):
        return None
    return Monomial(float(value), {name: e * exponent for name, e in m.exponents.items()})


def _collected(terms: Sequence[Monomial]) -> tuple[Monomial, ...]:
    sums: dict[tuple[tuple[str, float], ...], float] = {}
    for m in terms:
        key = tuple(sorted(m.exponents.items()))
        sums[key] = sums.get(key, 0.0) + m.coefficient
    return tuple(Monomial(c, dict(key)) for key, c in sums.items() if c) or (Monomial(0.0, {}),)


Derivatives = tuple[float, list[float], list[list[float]]]
Rows = Sequence[tuple[float, Sequence[float]]]


def _rows(terms: Sequence[Monomial], variables: Sequence[Any]) -> list[tuple[float, list[float]]]:
    return [(m.coefficient, [m.exponents.get(v, 0.0) for v in variables]) for m in terms]


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of c_i exp(a_i'x): a row is c_i and a_i (k)."""

    rows: Rows
    k: int

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        k = self.k
        value, gradient, hessian = 0.0, [0.0] * k, [[0.0] * k for _ in range(k)]
        for c, a in self.rows:
            v = c * _exp(sum(ai * xi for ai, xi in zip(a, x, strict=True)))
            value += v
            for i in range(k):
                if a[i]:
                    gradient[i] += v * a[i]
                    for j in range(k):
                        hessian[i][j] += v * a[i] * a[j]
        return value, gradient, hessian


@dataclass(frozen=True, slots=True)
class LogSum:
    """The logarithm of a sum of exp(b_i + a_i'x): a row is b_i and a_i (k). Linear where there is one row."""

    rows: Rows
    k: int

    def over(self, row: tuple[float, Sequence[float]]) -> LogSum:
        """The logarithm of the sum over one term, which is of a sum again."""
        less, slopes = row
        return LogSum([(b - less, [p - q for p, q in zip(a, slopes, strict=True)]) for b, a in self.rows], self.k)

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        logs = [b + sum(ai * xi for ai, xi in zip(a, x, strict=True)) for b, a in self.rows]
        if len(logs) == 1:
            return logs[0], list(self.rows[0][1]), [[0.0] * self.k for _ in range(self.k)]
        top = max(logs)  # taken out, so that nothing overflows
        weights = [_exp(v - top) for v in logs]
        total = sum(weights)
        weights = [w / total for w in weights]
        rows = [(w, a) for w, (_, a) in zip(weights, self.rows, strict=True)]
        # of each variable the terms that it is in: of many, as of a sum over sources, each is in few
        terms = [[(w * a[i], a) for w, a in rows if a[i]] for i in range(self.k)]
        gradient = [sum((v for v, _ in own), 0.0) for own in terms]
        hessian = [
            [sum((v * a[j] for v, a in own), 0.0) - slope * gradient[j] for j in range(self.k)]
            for own, slope in zip(terms, gradient, strict=True)
        ]
        return top + math.log(total), gradient, hessian


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, whatever the k variables."""

    value: float
    k: int

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        return self.value, [0.0] * self.k, [[0.0] * self.k for _ in range(self.k)]


@dataclass(frozen=True, slots=True)
class Difference:
    """One function less another."""

    of: Smooth
    less: Smooth

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        av, ag, ah = self.of(x)
        bv, bg, bh = self.less(x)
        return (
            av - bv,
            [p - q for p, q in zip(ag, bg, strict=True)],
            [[p - q for p, q in zip(r, s, strict=True)] for r, s in zip(ah, bh, strict=True)],
        )


@dataclass(frozen=True, slots=True)
class Square:
    """The square of a function."""

    of: Smooth

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        v, g, h = self.of(x)
        k = len(g)
        hessian = [[2 * g[i] * g[j] + 2 * v * h[i][j] for j in range(k)] for i in range(k)]
        return v * v, [2 * v * gi for gi in g], hessian


@dataclass(frozen=True, slots=True)
class Negated:
    """A function with its sign turned, for maximising."""

    of: Smooth

    def __call__(self, x: Point) -> Derivatives:
        """Value, gradient and Hessian; see `Smooth`."""
        v, g, h = self.of(x)
        return -v, [-gi for gi in g], [[-hij for hij in row] for row in h]


def sum_of_monomials(terms: Sequence[Monomial], variables: Sequence[Any]) -> Sum:
    """The value of a sum of monomials."""
    return Sum(_rows(terms, variables), len(variables))


def log_of_monomials(terms: Sequence[Monomial], variables: Sequence[Any]) -> LogSum:
    """The logarithm of a sum of monomials with positive coefficients: linear where it is one, else convex."""
    return LogSum([(math.log(c), a) for c, a in _rows(terms, variables)], len(variables))


def jets_over(variables: Sequence[Any]) -> Jets:
    """Expressions over variables to their jets."""

    def sum_of(item: Expr) -> At | None:
        terms = signomial(item)
        if terms is None or len(terms) > MANY:
            return None
        found = sum_of_monomials(terms, variables)
        return lambda x, known: Jet(*found(tuple(x)))

    return Jets(sum_of)


def any_form(expr: Expr, variables: Sequence[Any], jets: Jets | None = None) -> Smooth:
    """Any differentiable expression, part by part; infinite outside its domain.

    Args:
        jets: Those of other expressions over the same variables, with which it may have parts in common.
    """
    k = len(variables)
    at = (jets or jets_over(variables)).of(expr)
    known: dict[Point, Derivatives] = {}

    def smooth(x: Point) -> Derivatives:
        if x not in known:
            if len(known) >= POINTS:
                known.clear()
            known[x] = computed(x)
        return known[x]

    def computed(x: Point) -> Derivatives:
        try:
            found = at(x)
            flat = [0.0] * k
            return float(found.value), found.gradient or flat, found.hessian or [list(flat) for _ in range(k)]
        except (ArithmeticError, ValueError):
            return math.inf, [0.0] * k, [[0.0] * k for _ in range(k)]

    return smooth


def objective(expr: Expr, variables: Sequence[Any], maximize: bool = False, jets: Jets | None = None) -> Smooth:
    """A function to be minimised: an expression, or what falls as it rises.

    A monomial is taken by its logarithm, which is linear, and so is whatever is positive and to be maximised: minus
    its value would be of any scale (1e22 in one plan) and run down without end, where minus its logarithm stays of
    the size of the variables. Anything else is taken by its value.

    Args:
        jets: See `any_form`.
    """
    terms = signomial(expr)
    if terms is None:
        logarithmic = maximize and not _signed(expr)
        found: Smooth = any_form(Op("ln", (expr,)) if logarithmic else expr, variables, jets)
    elif all(m.coefficient > 0 for m in terms) and (maximize or len(terms) == 1):
        found = log_of_monomials(terms, variables)
    else:
        found = sum_of_monomials(terms, variables)
    return Negated(found) if maximize else found


def limit(left: Expr, right: Expr, variables: Sequence[Any], jets: Jets | None = None) -> Smooth:
    """`left <= right` as a function that is at most 0: the logarithm of the ratio where both are positive sums.

    Args:
        jets: See `any_form`.
    """
    a, b = signomial(left), signomial(right)
    if a is not None and b is not None:
        # What is subtracted goes to the other side, so that both sides are positive.
        small, large = _balanced(a, b)
        if small and large:
            below, above = log_of_monomials(small, variables), log_of_monomials(large, variables)
            return below.over(above.rows[0]) if len(above.rows) == 1 else Difference(below, above)
        # Nothing is at most something positive: always so; and never the other way round.
        return Constant(1.0 if small else (-1.0 if large else 0.0), len(variables))
    if not _signed(left) and not _signed(right):
        return any_form(Op("-", (Op("ln", (left,)), Op("ln", (right,)))), variables, jets)
    return any_form(
        Op("-", (Op("/", (left, right)), Num(1.0))) if not _signed(right) else Op("-", (left, right)),
        variables,
        jets,
    )


def _balanced(a: Sequence[Monomial], b: Sequence[Monomial]) -> tuple[list[Monomial], list[Monomial]]:
    if any(m.coefficient < 0 for m in (*a, *b)):
        over = _collected([*a, *_negative(tuple(b))])
        return [m for m in over if m.coefficient > 0], [m for m in _negative(over) if m.coefficient > 0]
    return [m for m in a if m.coefficient], [m for m in b if m.coefficient]


def _signed(expr: Expr) -> bool:
    """Whether the expression may be negative for positive variables, as far as its form tells."""
    if isinstance(expr, Num):
        return expr.value <= 0
    if not isinstance(expr, Op) or expr.op == "curve":  # a table is read by its logarithms
        return False
    terms = signomial(expr)
    if terms is not None:  # `1 - 15%` is positive, whatever the sign in it
        return any(m.coefficient <= 0 for m in terms)
    return expr.op in ("-", "neg", "ln", "log10") or any(_signed(arg) for arg in expr.args)
