"""Expressions as sums of monomials in the variables of a problem, their coefficients figures that are varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import Evaluator, compiled, value
from runplan.dsl.types import Any
from runplan.engine.numeric.functions import Monomial, signomial
from runplan.engine.sweep.grid import FUNCTIONS, product, raised

Env = Mapping[Name, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """A monomial in the variables.

    Attributes:
        coefficient: A sum of monomials in figures.
        exponents: (k), of each variable.
    """

    coefficient: tuple[Monomial, ...]
    exponents: tuple[float, ...]

    def at(self, figures: Env) -> Any:
        """The coefficient, of figures as `Forms.figures` gives them."""
        total: Any = 0.0
        for at, one in enumerate(self.coefficient):
            part = product([raised(figures[name], e) for name, e in one.exponents.items()]) * one.coefficient
            total = total + part if at else part
        return total


class Forms:
    """What expressions over some variables are, as far as these are sums of monomials in them."""

    def __init__(self, variables: Sequence[Name]) -> None:
        self._variables = tuple(variables)
        self._parts: dict[int, tuple[Expr, Expr]] = {}
        self._figures: dict[Expr, Name] = {}
        self._evaluators: dict[Name, Evaluator] = {}

    def terms(self, expr: Expr) -> tuple[Term, ...] | None:
        """The monomials whose sum an expression is; None where it is none."""
        found = signomial(self.parted(expr))
        if found is None:
            return None
        alike: dict[tuple[float, ...], list[Monomial]] = {}
        for one in found:
            own = tuple(one.exponents.get(name, 0.0) for name in self._variables)
            figures = {name: e for name, e in one.exponents.items() if name not in self._variables}
            alike.setdefault(own, []).append(Monomial(one.coefficient, figures))
        return tuple(Term(tuple(some), exponents) for exponents, some in alike.items())

    def parted(self, expr: Expr) -> Expr:
        """The expression with a name for each part of it that no variable is in."""
        key = id(expr)
        if key not in self._parts:
            self._parts[key] = (expr, self._parted(expr))  # with the expression, so that no other takes its place
        return self._parts[key][1]

    def figures(self, env: Env) -> dict[Name, Any]:
        """The figures of all coefficients, of the values of what is varied."""
        return {name: at(env) for name, at in self._evaluators.items()}

    def _parted(self, expr: Expr) -> Expr:
        found = names(expr)
        if not found:
            return expr if isinstance(expr, Num) else _number(expr)
        if found.isdisjoint(self._variables):
            return Ref(self._name(expr))
        return Op(expr.op, tuple(map(self.parted, expr.args))) if isinstance(expr, Op) else expr

    def _name(self, expr: Expr) -> Name:
        if expr not in self._figures:
            name = Name(f"figure {len(self._figures)}", "varied")
            self._figures[expr] = name
            self._evaluators[name] = compiled(expr, FUNCTIONS)
        return self._figures[expr]


def _number(expr: Expr) -> Expr:
    """A part without any name, as its number; as it is where it has none."""
    try:
        return Num(float(value(expr, {})))
    except (ArithmeticError, ValueError, TypeError):
        return expr
