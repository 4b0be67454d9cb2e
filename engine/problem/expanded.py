"""Expressions and the definitions of the names in them to the same over what has no definition: over variables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute, walk
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.types import Any
from runplan.dsl.units.dims import Dim
from runplan.engine.problem.common import Common
from runplan.engine.problem.parts import Definition


def expand(
    expr: Expr, definitions: Mapping[Name, Definition], memo: dict[Name, Expr], common: Common | None = None
) -> Expr:
    """The expression with every defined name replaced, and those in its place; `memo` is shared between calls."""
    of = (common or Common()).of

    def waits(of: Expr) -> list[Name]:
        return [name for name in names(of) if name in definitions and name not in memo]

    def put(expr: Expr, dim: Dim | None) -> Expr:
        if not isinstance(expr, Op):
            return memo.get(expr.name, expr) if isinstance(expr, Ref) else expr
        return of(_put, (expr, *map(memo.get, names(expr))), dim)

    # Of a chain of names the last first, without a call within a call: it may be of thousands.
    left = waits(expr)
    opened: set[Name] = set()
    while left:
        name = left[-1]
        if name not in opened and name not in memo:
            opened.add(name)
            left += waits(definitions[name].expr)
            continue
        left.pop()
        if name not in memo:
            memo[name] = put(definitions[name].expr, definitions[name].dim)
    return put(expr, None)


def _put(expr: Expr, *rest: Any) -> Expr:
    """The expression with each name that it mentions replaced, where there is what to replace it with.

    Where it is a definition, and comes to a figure, that figure: it may stand in many others.

    Args:
        rest: For each name in its place among those that it mentions, then the dimension of the definition.
    """
    *by, dim = rest
    found = substitute(expr, {name: one for name, one in zip(names(expr), by, strict=True) if one is not None})
    if dim is None or names(found) or not all(map(_is_figure, walk(found))):
        return found
    try:
        value = float(value_of(found, {}))
    except (ArithmeticError, ValueError):
        return found
    return Num(value, dim) if math.isfinite(value) else found


def _is_figure(item: Expr) -> bool:
    """Whether a part of an expression is a figure, or made of its parts: what a sweep has in its place is none."""
    return isinstance(item, Op) or (isinstance(item, Num) and isinstance(item.value, (int, float)))
