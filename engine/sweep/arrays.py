"""Expressions over arrays: their values, and their derivatives by the logarithms of some names, a point an element."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runplan.dsl.expr import curve
from runplan.dsl.expr.evenly import EVENLY
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.types import Any
from runplan.engine.numeric.jets import OF_TWO, Jet, chained, of_one, times

Env = Mapping[Name, Any]


class _NoDerivative(ValueError):
    """Raised for an expression that has none here."""


def values(expr: Expr, env: Env) -> Any:
    """The values of an expression at points; NaN where it has none."""
    return compiled(expr, np)(env)


class Jets:
    """The values of expressions at points, with their derivatives, each part once.

    No functions within each other, which would hold these arrays in a cycle until garbage is looked for.

    Args:
        env: Of every name, its values.
        places: Of each variable, its place in the gradient.
    """

    def __init__(self, env: Env, places: Mapping[Name, int]) -> None:
        self._env, self._places = env, places
        self._known: dict[int, Jet] = {}

    def at(self, item: Expr) -> Jet:
        """The jet of an expression that is kept elsewhere.

        Raises:
            ValueError: Where it has none.
        """
        key = id(item)
        if key not in self._known:
            self._known[key] = self._part(item)
        return self._known[key]

    def _part(self, item: Expr) -> Jet:
        env, places, count = self._env, self._places, len(self._places)
        if names(item).isdisjoint(places):
            return Jet(values(item, env))
        if isinstance(item, Ref):
            value = env[item.name]
            gradient = [value if place == places[item.name] else 0.0 for place in range(count)]
            hessian: list[list[Any]] = [[0.0] * count for _ in range(count)]
            hessian[places[item.name]][places[item.name]] = value
            return Jet(value, gradient, hessian)
        assert isinstance(item, Op), "names stand in operators"
        if item.op in curve.ORDERS:
            return _curve(self.at(item.args[0]), item)
        if item.op == "if":
            test, then, otherwise = item.args
            if not names(test).isdisjoint(places):
                raise _NoDerivative
            return _where(values(test, env), self.at(then), self.at(otherwise), count)
        args = [self.at(arg) for arg in item.args]
        if item.op in _ONE:
            return _ONE[item.op](args[0])
        if item.op in _TWO:
            return _TWO[item.op](*args)
        if item.op in ("min", "max"):
            a, b = args
            return _where(a.value <= b.value if item.op == "min" else a.value >= b.value, a, b, count)
        raise _NoDerivative


def _where(test: Any, a: Jet, b: Jet, count: int) -> Jet:
    """One of two, element by element."""
    flat = [0.0] * count
    (ag, ah), (bg, bh) = ((one.gradient or flat, one.hessian or [flat] * count) for one in (a, b))
    return Jet(
        np.where(test, a.value, b.value),
        [np.where(test, p, q) for p, q in zip(ag, bg, strict=True)],  # type: ignore[misc]
        [[np.where(test, p, q) for p, q in zip(r, s, strict=True)] for r, s in zip(ah, bh, strict=True)],  # type: ignore[misc]
    )


def _curve(a: Jet, item: Op) -> Jet:
    """A table's curve: its slope and its bend are those of its logarithm by that of the argument."""
    if item.op != "curve":
        raise _NoDerivative
    value, slope, bend = (curve.evaluator(order, item.args[1:], np)(a.value) for order in curve.ORDERS)
    return chained(a, value, value * slope / a.value, value * (slope * slope + bend - slope) / a.value**2)


def _power(a: Jet, b: Jet) -> Jet:
    u, p = a.value, b.value
    if b.gradient is not None:
        log = times(b, _ONE["ln"](a))
        value = np.exp(log.value)
        return chained(log, value, value, value)
    value = np.power(u, p)
    return chained(a, value, p * value / u, p * (p - 1.0) * value / u**2)


_ONE = of_one(np)
_TWO = {**OF_TWO, "^": _power}
assert EVENLY not in _TWO, "what is seen equally often is solved point by point"
