"""Expressions over positive variables to functions of their logarithms, with first and second derivatives.

Nearly all of planning is sums of monomials (`E + A N^-a + B D^-b`, `6 N D <= C`); these are taken apart once and are
linear, or convex, in the logarithms. What is not goes through the symbolic derivatives of the expression.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runplan.dsl.expr.derivative import derivative
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Unbound
from runplan.dsl.expr.values import compiled, value
from runplan.engine.numeric.local import Point, Smooth


@dataclass(frozen=True, slots=True)
class Monomial:
    """`coefficient * product(variable^exponent)`."""

    coefficient: float
    exponents: Mapping[Any, float]


def signomial(expr: Expr) -> tuple[Monomial, ...] | None:
    """The expression as a sum of monomials; None where it is none. Every name in it is a variable."""
    if isinstance(expr, Num):
        return (Monomial(expr.value, {}),)
    if isinstance(expr, Ref | Unbound):
        return (Monomial(1.0, {expr.name: 1.0}),)
    if not isinstance(expr, Op):
        return None
    parts = [signomial(arg) for arg in expr.args]
    if any(part is None for part in parts):
        return None
    terms = [part for part in parts if part is not None]
    if expr.op == "neg":
        return tuple(Monomial(-m.coefficient, m.exponents) for m in terms[0])
    if expr.op == "+":
        return _collected([*terms[0], *terms[1]])
    if expr.op == "-":
        return _collected([*terms[0], *(Monomial(-m.coefficient, m.exponents) for m in terms[1])])
    if expr.op == "*":
        return _collected([_product(a, b) for a in terms[0] for b in terms[1]])
    if expr.op == "/" and len(terms[1]) == 1 and terms[1][0].coefficient:
        below = _power(terms[1][0], -1.0)
        return None if below is None else _collected([_product(a, below) for a in terms[0]])
    if expr.op in ("^", "sqrt") and len(terms[0]) == 1:
        exponent = Monomial(0.5, {}) if expr.op == "sqrt" else terms[1][0]
        if (expr.op == "sqrt" or len(terms[1]) == 1) and not exponent.exponents:
            raised = _power(terms[0][0], exponent.coefficient)
            return None if raised is None else (raised,)
    if expr.op == "exp" and len(terms[0]) == 1 and not terms[0][0].exponents:
        found = _exp(terms[0][0].coefficient)
        return (Monomial(found, {}),) if math.isfinite(found) else None
    if all(not part or (len(part) == 1 and not part[0].exponents) for part in terms):
        return _constant(expr)
    return None


def _constant(expr: Expr) -> tuple[Monomial, ...] | None:
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


def _rows(terms: Sequence[Monomial], variables: Sequence[Any]) -> list[tuple[float, list[float]]]:
    return [(m.coefficient, [m.exponents.get(v, 0.0) for v in variables]) for m in terms]


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def sum_of_monomials(terms: Sequence[Monomial], variables: Sequence[Any]) -> Smooth:
    """The value of a sum of monomials."""
    rows = _rows(terms, variables)
    k = len(variables)

    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        value, gradient, hessian = 0.0, [0.0] * k, [[0.0] * k for _ in range(k)]
        for c, a in rows:
            v = c * _exp(sum(ai * xi for ai, xi in zip(a, x, strict=True)))
            value += v
            for i in range(k):
                if a[i]:
                    gradient[i] += v * a[i]
                    for j in range(k):
                        hessian[i][j] += v * a[i] * a[j]
        return value, gradient, hessian

    return smooth


def log_of_monomials(terms: Sequence[Monomial], variables: Sequence[Any]) -> Smooth:
    """The logarithm of a sum of monomials with positive coefficients: linear where it is one, else convex."""
    rows = [(math.log(c), a) for c, a in _rows(terms, variables)]
    k = len(variables)
    if len(rows) == 1:
        ((constant, slope),) = rows
        flat = [[0.0] * k for _ in range(k)]
        return lambda x: (constant + sum(ai * xi for ai, xi in zip(slope, x, strict=True)), list(slope), flat)

    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        logs = [c + sum(ai * xi for ai, xi in zip(a, x, strict=True)) for c, a in rows]
        top = max(logs)
        weights = [_exp(v - top) for v in logs]
        total = sum(weights)
        weights = [w / total for w in weights]
        gradient = [sum(w * a[i] for w, (_, a) in zip(weights, rows, strict=True)) for i in range(k)]
        hessian = [
            [
                sum(w * a[i] * a[j] for w, (_, a) in zip(weights, rows, strict=True)) - gradient[i] * gradient[j]
                for j in range(k)
            ]
            for i in range(k)
        ]
        return top + math.log(total), gradient, hessian

    return smooth


def symbolic(expr: Expr, variables: Sequence[Any]) -> Smooth:
    """Any differentiable expression, by its symbolic derivatives; infinite outside its domain."""
    k = len(variables)
    first = [derivative(expr, v) for v in variables]
    value_of = compiled(expr)
    first_of = [compiled(d) for d in first]
    second_of = [[compiled(derivative(first[i], variables[j])) for j in range(i + 1)] for i in range(k)]

    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        env = {name: _exp(xi) for name, xi in zip(variables, x, strict=True)}
        v = list(env.values())
        try:
            value = float(value_of(env))
            slopes = [v[i] * float(first_of[i](env)) for i in range(k)]
            hessian = [[0.0] * k for _ in range(k)]
            for i in range(k):
                for j in range(i + 1):
                    hessian[i][j] = hessian[j][i] = v[i] * v[j] * float(second_of[i][j](env))
                hessian[i][i] += slopes[i]
            return value, slopes, hessian
        except (ArithmeticError, ValueError):
            return math.inf, [0.0] * k, [[0.0] * k for _ in range(k)]

    return smooth


def goal(expr: Expr, variables: Sequence[Any]) -> Smooth:
    """A function to be minimised: the logarithm of a monomial, or the value of anything else."""
    terms = signomial(expr)
    if terms is None:
        return symbolic(expr, variables)
    if len(terms) == 1 and terms[0].coefficient > 0:
        return log_of_monomials(terms, variables)
    return sum_of_monomials(terms, variables)


def limit(left: Expr, right: Expr, variables: Sequence[Any]) -> Smooth:
    """`left <= right` as a function that is at most 0: the logarithm of the ratio where both are positive sums."""
    a, b = signomial(left), signomial(right)
    if a is not None and b is not None:
        # What is subtracted goes to the other side, so that both sides are positive.
        small, large = _balanced(a, b)
        if small and large:
            return _difference(log_of_monomials(small, variables), log_of_monomials(large, variables))
        # Nothing is at most something positive: always so; and never the other way round.
        k, constant = len(variables), 1.0 if small else (-1.0 if large else 0.0)
        return lambda x: (constant, [0.0] * k, [[0.0] * k for _ in range(k)])
    if not _signed(left) and not _signed(right):
        return symbolic(Op("-", (Op("ln", (left,)), Op("ln", (right,)))), variables)
    return symbolic(
        Op("-", (Op("/", (left, right)), Num(1.0))) if not _signed(right) else Op("-", (left, right)),
        variables,
    )


def _balanced(a: Sequence[Monomial], b: Sequence[Monomial]) -> tuple[list[Monomial], list[Monomial]]:
    over = _collected([*a, *(Monomial(-m.coefficient, m.exponents) for m in b)])
    if any(m.coefficient < 0 for m in (*a, *b)):
        left = [m for m in over if m.coefficient > 0]
        return left, [Monomial(-m.coefficient, m.exponents) for m in over if m.coefficient < 0]
    return [m for m in a if m.coefficient], [m for m in b if m.coefficient]


def _signed(expr: Expr) -> bool:
    """Whether the expression may be negative for positive variables, as far as its form tells."""
    if isinstance(expr, Num):
        return expr.value <= 0
    if isinstance(expr, Op):
        return expr.op in ("-", "neg", "ln", "log10") or any(_signed(arg) for arg in expr.args)
    return False


def _difference(a: Smooth, b: Smooth) -> Smooth:
    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        av, ag, ah = a(x)
        bv, bg, bh = b(x)
        return (
            av - bv,
            [p - q for p, q in zip(ag, bg, strict=True)],
            [[p - q for p, q in zip(r, s, strict=True)] for r, s in zip(ah, bh, strict=True)],
        )

    return smooth


def square(of: Smooth) -> Smooth:
    """The square of a function."""

    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        v, g, h = of(x)
        k = len(g)
        hessian = [[2 * g[i] * g[j] + 2 * v * h[i][j] for j in range(k)] for i in range(k)]
        return v * v, [2 * v * gi for gi in g], hessian

    return smooth


def negated(of: Smooth) -> Smooth:
    """The function with its sign turned, for maximising."""

    def smooth(x: Point) -> tuple[float, list[float], list[list[float]]]:
        v, g, h = of(x)
        return -v, [-gi for gi in g], [[-hij for hij in row] for row in h]

    return smooth
