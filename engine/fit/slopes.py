"""A formula over constants to its values and its derivatives by them, for many sets of constants and all runs at once.

Forward differentiation to first order, over arrays: a value is (s, n), (s, 1), (n) or a number, and has a derivative by
those constants only that stand in it. What has none of them in it is worked out once, before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Unbound, words
from runplan.dsl.expr.values import compiled
from runplan.dsl.types import Any

Env = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slope:
    """A value, and its derivatives by constants: of each place that has any."""

    value: Any
    by: Mapping[int, Any]


def folded(body: Expr, constants: Sequence[str], inputs: Env) -> tuple[Expr, Env]:
    """A formula with what does not hang on the constants taken out of it, and the values of that by new words.

    A power of a figure of the runs whose exponent is a constant is written by its logarithm.
    """
    known: dict[str, Any] = {}
    seen: dict[int, Expr] = {}
    moving = frozenset(constants)

    def taken(item: Expr) -> Expr:
        word = f"#{len(known)}"
        known[word] = compiled(item, np)(inputs)
        return Unbound(word)

    def part(item: Expr) -> Expr:
        if id(item) not in seen:
            seen[id(item)] = made(item)
        return seen[id(item)]

    def made(item: Expr) -> Expr:
        if isinstance(item, Num):
            return item
        if words(item).isdisjoint(moving):
            return taken(item)
        if not isinstance(item, Op):
            return item
        if item.op == "^" and words(item.args[0]).isdisjoint(moving):
            return Op("exp", (Op("*", (part(item.args[1]), taken(Op("ln", (item.args[0],))))),))
        return Op(item.op, tuple(map(part, item.args)))

    return part(body), known


def slope(body: Expr, env: Env, places: Mapping[str, int]) -> Slope:
    """The value of a formula and its derivatives by some words.

    Args:
        env: The value of every word in it.
        places: Of the words by which it is derived.

    Raises:
        ValueError: For an operator that has no derivative.
    """
    return _slope(body, env, places, {})


def _slope(item: Expr, env: Env, places: Mapping[str, int], seen: dict[int, Slope]) -> Slope:
    """The same of a part, those kept that were met: no function of its own, which would hold all their arrays as long
    as it holds itself.
    """
    if id(item) not in seen:
        seen[id(item)] = _made(item, env, places, seen)
    return seen[id(item)]


def _made(item: Expr, env: Env, places: Mapping[str, int], seen: dict[int, Slope]) -> Slope:
    if isinstance(item, Num):
        return Slope(item.value, {})
    if isinstance(item, Unbound):
        place = places.get(item.name)
        return Slope(env[item.name], {} if place is None else {place: 1.0})
    assert isinstance(item, Op), "a law's formula is of words and figures"
    if item.op == "if":
        test, then, otherwise = item.args
        parts = (_slope(arg, env, places, seen) for arg in (then, otherwise))
        return _where(compiled(test, np)(env), *parts)
    return _OF[_known(item.op)](*(_slope(arg, env, places, seen) for arg in item.args))


def differentiable(body: Expr) -> str:
    """The first operator in a formula that has no derivative here; empty where all have."""
    stack: list[Expr] = [body]
    while stack:
        item = stack.pop()
        if not isinstance(item, Op):
            continue
        if item.op not in _OF and item.op != "if":
            return item.op
        stack.extend(item.args[1:] if item.op == "if" else item.args)
    return ""


def _known(op: str) -> str:
    if op not in _OF:
        raise ValueError(f"`{op}` has no derivative")
    return op


def _chained(value: Any, *parts: tuple[Slope, Any]) -> Slope:
    """A value by the derivatives of what it is made of: the sum of each times its own."""
    by: dict[int, Any] = {}
    for item, outer in parts:
        for place, inner in item.by.items():
            own = inner * outer
            by[place] = by[place] + own if place in by else own
    return Slope(value, by)


def _where(test: Any, a: Slope, b: Slope) -> Slope:
    """One of two, element by element."""
    places = (*a.by, *(place for place in b.by if place not in a.by))
    by = {place: np.where(test, a.by.get(place, 0.0), b.by.get(place, 0.0)) for place in places}
    return Slope(np.where(test, a.value, b.value), by)


def _power(a: Slope, b: Slope) -> Slope:
    if not b.by:
        return _chained(a.value**b.value, (a, b.value * a.value ** (b.value - 1.0)))
    log = np.log(a.value)
    value = np.exp(b.value * log)
    return _chained(value, (a, value * b.value / a.value), (b, value * log))


def _quotient(a: Slope, b: Slope) -> Slope:
    value = a.value / b.value
    return _chained(value, (a, 1.0 / b.value), (b, -value / b.value))


def _exp(a: Slope) -> Slope:
    value = np.exp(a.value)
    return _chained(value, (a, value))


def _root(a: Slope) -> Slope:
    value = np.sqrt(a.value)
    return _chained(value, (a, 0.5 / value))


_OF: dict[str, Callable[..., Slope]] = {
    "+": lambda a, b: _chained(a.value + b.value, (a, 1.0), (b, 1.0)),
    "-": lambda a, b: _chained(a.value - b.value, (a, 1.0), (b, -1.0)),
    "*": lambda a, b: _chained(a.value * b.value, (a, b.value), (b, a.value)),
    "/": _quotient,
    "^": _power,
    "neg": lambda a: _chained(-a.value, (a, -1.0)),
    "exp": _exp,
    "ln": lambda a: _chained(np.log(a.value), (a, 1.0 / a.value)),
    "log10": lambda a: _chained(np.log10(a.value), (a, 1.0 / (a.value * np.log(10.0)))),
    "sqrt": _root,
    "abs": lambda a: _chained(np.abs(a.value), (a, np.sign(a.value))),
    "min": lambda a, b: _where(a.value <= b.value, a, b),
    "max": lambda a, b: _where(a.value >= b.value, a, b),
}
assert not {*COMPARISONS, "and", "or", "not"} & _OF.keys(), "a condition has no derivative"
