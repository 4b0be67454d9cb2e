"""Definitions to a function that adds what follows from the values of some names, at one point or at a thousand.

What no such name moves is computed once, what is the same at all points is computed once for these, and the rest for
all of them together where that can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from runplan.dsl.expr.columns import Column, Together
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.types import Any
from runplan.engine.problem.derived import order_of
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.points import Points, Values, any_of, same


class Following:
    """What definitions come to at values of other names."""

    def __init__(self, definitions: Mapping[Name, Definition], known: Collection[Name]) -> None:
        exprs = {name: definitions[name].expr for name in order_of(definitions, known)}
        moving = set(known)
        self._still: dict[Name, float] = {}
        for name, expr in exprs.items():
            if not names(expr).isdisjoint(moving):
                moving.add(name)
            elif (value := _once(expr, self._still)) is not None:
                self._still[name] = value
        there = {*known, *self._still}
        self._steps: list[tuple[Name, Expr]] = []
        for name, expr in exprs.items():
            if name in moving and names(expr) <= there:
                there.add(name)
                self._steps.append((name, expr))
        self._each: list[tuple[Name, Evaluator]] | None = None

    def __call__(self, values: Mapping[Name, float]) -> dict[Name, float]:
        """Values with all that follows from them; what cannot be computed stays out."""
        if self._each is None:
            self._each = [(name, compiled(expr)) for name, expr in self._steps]
        env = {**values, **self._still}
        for name, function in self._each:
            if (value := _tried(function, env)) is not None:
                env[name] = value
        return env

    def together(self, points: Points) -> Points:
        """The same at many points, to the bit."""
        still, moving = {**points.still, **self._still}, dict(points.moving)
        columns: dict[Name, float | Column] = {**still}
        columns |= {name: Column([*values]) for name, values in moving.items() if None not in values}
        for name, expr in self._steps:
            if moving.keys().isdisjoint(names(expr)):
                if (value := _once(expr, still)) is not None:
                    columns[name] = still[name] = value
                continue
            column = _column(expr, columns)
            values = column.values if column is not None else _one_by_one(expr, Points(points.count, still, moving))
            if (value := same(values)) is not None:
                columns[name] = still[name] = value
            elif any_of(values):
                moving[name] = values
                if column is not None:
                    columns[name] = column
                elif None not in values:
                    columns[name] = Column([*values])
        return Points(points.count, still, moving)


def _column(expr: Expr, columns: Mapping[Name, float | Column]) -> Column | None:
    """The values of a formula at all points; None where it has none at some of them, or is not done by columns."""
    try:
        found = compiled(expr, Together)(columns)
    except (ArithmeticError, ValueError, KeyError):
        return None
    return Column(list(map(float, found))) if isinstance(found, Column) else None


def _one_by_one(expr: Expr, points: Points) -> Values:
    """The values of a formula at each point alone."""
    function = compiled(expr)
    return [_tried(function, env) for env in points.rows(names(expr))]


def _once(expr: Expr, env: Mapping[Name, float]) -> float | None:
    return _tried(lambda env: value_of(expr, env), env)


def _tried(function: Callable[[Mapping[Name, float]], Any], env: Mapping[Name, float]) -> float | None:
    """The value of a formula; None where it has none."""
    try:
        return float(function(env))
    except (ArithmeticError, ValueError, KeyError):
        return None
