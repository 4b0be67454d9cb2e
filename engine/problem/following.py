"""Definitions to a function that adds what follows from the values of some names, for a thousand such values.

What no such name moves is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.expr.values import compiled
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.problem import order_of


class Following:
    """What definitions come to at values of other names."""

    def __init__(self, definitions: Mapping[Name, Definition], known: Collection[Name]) -> None:
        exprs = {name: definitions[name].expr for name in order_of(definitions, known)}
        moving = set(known)
        for name, expr in exprs.items():
            if not names(expr).isdisjoint(moving):
                moving.add(name)
        self._still: dict[Name, float] = {}
        _one_by_one((name, expr) for name, expr in exprs.items() if name not in moving)(self._still)
        there = {*known, *self._still}
        steps = []
        for name, expr in exprs.items():
            if name in moving and names(expr) <= there:
                there.add(name)
                steps.append((name, expr))
        self._follow = _one_by_one(steps)

    @property
    def still(self) -> frozenset[Name]:
        """The definitions that these values do not move."""
        return frozenset(self._still)

    def __call__(self, values: Mapping[Name, float]) -> dict[Name, float]:
        """Values with all that follows from them; what cannot be computed stays out."""
        env = {**values, **self._still}
        self._follow(env)
        return env


def _one_by_one(steps: Iterable[tuple[Name, Expr]]) -> Callable[[dict[Name, float]], None]:
    """A function that adds the values of formulas, in their order; what cannot be computed stays out."""
    each = [(name, compiled(expr)) for name, expr in steps]

    def follow(env: dict[Name, float]) -> None:
        for name, function in each:
            try:
                env[name] = float(function(env))
            except (ArithmeticError, ValueError, KeyError):
                continue

    return follow
