"""Definitions to a function that adds what follows from the values of some names, for a thousand such values.

What no such name moves is computed once, and the rest for all of them together where that can be done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from runplan.dsl.expr.columns import Column, Together
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import order_of

Step = tuple[Name, Expr]


class Following:
    """What definitions come to at values of other names."""

    def __init__(self, definitions: Mapping[Name, Definition], known: Collection[Name]) -> None:
        exprs = {name: definitions[name].expr for name in order_of(definitions, known)}
        moving = set(known)
        for name, expr in exprs.items():
            if not names(expr).isdisjoint(moving):
                moving.add(name)
        self._still: dict[Name, float] = {}
        _follow(_one_by_one((name, expr) for name, expr in exprs.items() if name not in moving), self._still)
        there = {*known, *self._still}
        self._steps: list[Step] = []
        for name, expr in exprs.items():
            if name in moving and names(expr) <= there:
                there.add(name)
                self._steps.append((name, expr))
        self._each: list[tuple[Name, Evaluator]] | None = None

    @property
    def still(self) -> frozenset[Name]:
        """The definitions that these values do not move."""
        return frozenset(self._still)

    def __call__(self, values: Mapping[Name, float]) -> dict[Name, float]:
        """Values with all that follows from them; what cannot be computed stays out."""
        if self._each is None:
            self._each = _one_by_one(self._steps)
        env = {**values, **self._still}
        _follow(self._each, env)
        return env

    def together(self, points: Sequence[Mapping[Name, float]]) -> list[dict[Name, float]]:
        """The same of many points, to the bit."""
        if len(points) < 2 or any(at.keys() != points[0].keys() for at in points):
            return list(map(self, points))
        columns: dict[Name, float | Column] = {name: Column([at[name] for at in points]) for name in points[0]}
        columns |= self._still
        envs = [{**at, **self._still} for at in points]
        for name, expr in self._steps:
            found = _column(expr, columns)
            if found is None:  # of each point alone: some have no value
                one = [(name, compiled(expr))]
                for env in envs:
                    _follow(one, env)
                if all(name in env for env in envs):
                    columns[name] = Column([env[name] for env in envs])
                continue
            columns[name] = found
            for env, value in zip(envs, found.values, strict=True):
                env[name] = value
        return envs


def _column(expr: Expr, columns: Mapping[Name, float | Column]) -> Column | None:
    """The values of a formula at all points; None where it has none at some of them, or is not done by columns."""
    try:
        found = compiled(expr, Together)(columns)
    except (ArithmeticError, ValueError, KeyError):
        return None
    return Column(list(map(float, found))) if isinstance(found, Column) else None


def _one_by_one(steps: Iterable[Step]) -> list[tuple[Name, Evaluator]]:
    return [(name, compiled(expr)) for name, expr in steps]


def _follow(steps: Iterable[tuple[Name, Evaluator]], env: dict[Name, float]) -> None:
    """Add the values of formulas, in their order; what cannot be computed stays out."""
    for name, function in steps:
        try:
            env[name] = float(function(env))
        except (ArithmeticError, ValueError, KeyError):
            continue
