"""Values of the variables to a solution: everything else derived, each value with where it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.expr.dimensions import Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.dims import Dim
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value

# Leaving a law's own optimum line by less than this factor is rounding.
ON_THE_LINE = 1.01


def solved(problem: Problem, env: Mapping[str, float], binding: Iterable[str]) -> Solution:
    """The solution at given values of the variables, everything else derived."""
    every = dict(env)
    evaluate(problem, every)
    bound = list(dict.fromkeys(binding))
    bound += [
        name for name in ("tokens", "params") if name in problem.givens and problem.variables and name not in bound
    ]
    off_line = _off_line(problem, every)
    if problem.frontier and off_line is not None and not 1 / ON_THE_LINE < off_line < ON_THE_LINE:
        # The law's loss is that of its optimum: off its line it says nothing.
        for name in ("loss", "perplexity"):
            every.pop(name, None)
    values = {name: _value(problem, name, every[name], bound) for name in every if _dim(problem, name) is not None}
    return Solution(
        problem.named,
        problem.law.name,
        "solved",
        values,
        tuple(bound),
        (),
        problem.findings,
        problem.sources,
        problem,
        off_line,
    )


def evaluate(problem: Problem, env: dict[str, float]) -> None:
    """Add every definition's value to the values of the variables; what cannot be computed stays out."""
    left = dict(problem.definitions)
    while left:
        ready = [name for name, d in left.items() if names(d.expr) <= env.keys()]
        if not ready:
            return
        for name in ready:
            try:
                value = compiled(left.pop(name).expr)(env)
            except (ArithmeticError, ValueError):
                continue
            if isinstance(value, int | float) and math.isfinite(value):
                env[name] = float(value)


def _dim(problem: Problem, name: str) -> Dim | None:
    if name in problem.definitions:
        return problem.definitions[name].dim
    return next((v.dim for v in problem.variables if v.name == name), None)


def _value(problem: Problem, name: str, value: float, binding: Sequence[str]) -> Value:
    d = problem.definitions.get(name)
    if d is not None:
        inputs = tuple(sorted(names(d.expr)))
        return Value(name, value, d.dim, None, None, d.kind, shown(d.expr), inputs, d.source, d.span, d.note, d.by)
    variable = next(v for v in problem.variables if v.name == name)
    mentioned: set[str] = set()
    # Later aims only break ties, but for that of staying near a law's line.
    for aim in (a for i, a in enumerate(problem.aims) if i == 0 or a.sense == "near"):
        mentioned |= names(aim.expr) | (names(aim.other) if aim.other is not None else set())
    for limit in problem.limits:
        if limit.name in binding:
            mentioned |= names(limit.left) | names(limit.right)
    formula = f"solved: {problem.goal}" + (f", subject to {', '.join(binding)}" if binding else "")
    inputs = tuple(sorted(mentioned - {v.name for v in problem.variables}))
    cite = problem.law.cites[0].text if problem.law.cites else ""
    return Value(
        name, value, variable.dim, None, None, "solved", formula, inputs, cite, variable.span, by=problem.law.name
    )


def _off_line(problem: Problem, env: Mapping[str, float]) -> float | None:
    line = problem.line
    if line is None:
        return None
    try:
        return float(compiled(line.args[0])(env)) / float(compiled(line.args[1])(env))
    except (KeyError, ArithmeticError, ValueError):
        return None


def dim_of(problem: Problem, expr: Expr) -> Dim:
    """The dimension of an expression over the problem's names."""
    dims = {name: d.dim for name, d in problem.definitions.items()} | {v.name: v.dim for v in problem.variables}
    lets = {name: d for name, d in problem.definitions.items() if d.source == "let"}
    checked = Dimensions(dims)
    for name in names(expr) & lets.keys():
        checked.dims = {**checked.dims, name: checked.of(lets[name].expr)}
    try:
        return checked.of(expr)
    except (ValueError, KeyError):
        return ()
