"""Definitions and values of some names to the values of the others, each once what it is made of is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.problem.parts import Definition

if TYPE_CHECKING:
    from runplan.engine.problem.problem import Problem

# What a difference is of its first side, where the two sides are the same but for rounding.
ROUNDING = 1e-12


def order_of(definitions: Mapping[Name, Definition], known: Iterable[Name]) -> list[Name]:
    """Definitions in an order in which they can be computed from the values of known names."""
    return in_order({name: names(definition.expr) for name, definition in definitions.items()}, known)


def in_order(needs: Mapping[Name, frozenset[Name]], known: Iterable[Name]) -> list[Name]:
    """What is made of other things in an order in which it can be made of known ones: first what needs these alone,
    then what needs these and the first, and so on, each in the order of what it is in.
    """
    done = set(known)
    waits: dict[Name, int] = {}
    waited: dict[Name, list[Name]] = {}
    for name, others in needs.items():
        if name not in done:
            lacking = others - done
            waits[name] = len(lacking)
            for other in lacking:
                waited.setdefault(other, []).append(name)
    place = {name: at for at, name in enumerate(waits)}
    ready = [name for name, count in waits.items() if not count]
    out: list[Name] = []
    while ready:
        out += ready
        free = []
        for name in ready:
            for user in waited.get(name, ()):
                waits[user] -= 1
                if not waits[user]:
                    free.append(user)
        ready = sorted(free, key=place.__getitem__)
    return out


def derive(problem: Problem, env: dict[Name, float], exprs: Iterable[Expr] | None = None) -> None:
    """Add every definition's value to the values of the variables; what cannot be computed stays out.

    Args:
        exprs: What is to be computed afterwards, where that is not all: then what it leads to is added, and no more.
    """
    definitions = problem.definitions
    if exprs is not None:
        _derive_for(definitions, env, exprs)
        return
    for name in order_of(definitions, env):
        _add(env, name, definitions[name])


def _derive_for(definitions: Mapping[Name, Definition], env: dict[Name, float], exprs: Iterable[Expr]) -> None:
    """Add the value of every definition that expressions lead to, each once what it is made of has been tried: of a
    few names that takes less than putting all that they lead to in order.
    """
    left = [name for expr in exprs for name in names(expr)]
    opened: set[Name] = set()
    tried: set[Name] = set()
    while left:
        name = left[-1]
        if name in env or name in tried or name not in definitions:
            left.pop()
            continue
        waits = [each for each in names(definitions[name].expr) if each not in env and each not in tried]
        if name not in opened and waits:
            opened.add(name)
            left += waits
            continue
        left.pop()
        if not waits:
            tried.add(name)
            _add(env, name, definitions[name])


def _add(env: dict[Name, float], name: Name, definition: Definition) -> None:
    """Add the value of a definition, if it can be computed."""
    try:
        value = value_of(definition.expr, env)
    except (ArithmeticError, ValueError, KeyError):
        return
    if isinstance(value, (int, float)) and math.isfinite(value):
        env[name] = 0.0 if _is_rounding(definition.expr, value, env) else float(value)


def _is_rounding(expr: Expr, value: float, env: Mapping[Name, float]) -> bool:
    """Whether a difference is what rounding leaves of two figures that are the same."""
    if not isinstance(expr, Op) or expr.op != "-" or len(expr.args) != 2:
        return False
    return 0 < abs(value) <= ROUNDING * abs(float(value_of(expr.args[0], env)))
