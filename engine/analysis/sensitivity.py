"""A value of a solution to what would change it: the givens and assumptions that it answers to, and how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from runplan.dsl.expr.tree import Num, names
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.units.base import DATE
from runplan.engine.formulate.formulate import pose
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.search import optimum_of
from runplan.engine.solve.values import evaluate

# A figure is lowered by this share: a share of 100 % cannot be raised.
STEP = 0.01
# A share below this is none.
NOTHING = 1e-9
# An answer below this is rounding in the solver.
NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that a value answers to.

    Attributes:
        cause: The figure, given or assumed; of a bound in a requirement the name is the requirement's text.
        elasticity: By how many per cent the value goes up when the figure does by one, the plan solved anew; whole
            GPUs are not rounded.
    """

    cause: Value
    elasticity: float


def changes(plan: Plan, solution: Solution, name: str, catalogue: Library) -> tuple[Change, ...]:
    """What would change a value, the strongest first; nothing for a date, and where the plan has no solution.

    Args:
        catalogue: Where the plan was solved by it, with the plan's own definitions.
    """
    if solution.status != "solved" or solution.values[name].dim == DATE:
        return ()
    problem, repeats = solution.problem, any((solution.get(f"epochs.{s}") or 0.0) > 1 + 1e-9 for s in solution.sources)

    def posed(scaled: str) -> Problem:
        factor = (scaled, 1.0 - STEP)
        law, size = problem.law, solution.get("params")
        return pose(plan, law, solution.law, catalogue, size=size, repeats=repeats, scaled=factor)

    before = _solved(posed(""), name)
    if before is not None and abs(before) < NOTHING and solution.values[name].dim == ():
        return ()
    found = []
    for cause, lowered in (*_figures(solution, name, posed), *_bounds(posed(""))) if before else ():
        after = _solved(lowered, name)
        if before and after and after * before > 0.0:
            elasticity = math.log(after / before) / math.log1p(-STEP)
            found += [Change(cause, elasticity)] if abs(elasticity) > NOISE else []
    return tuple(sorted(found, key=lambda change: (-round(abs(change.elasticity), 6), change.cause.name)))


def _figures(solution: Solution, name: str, posed: Callable[[str], Problem]) -> Iterator[tuple[Value, Problem]]:
    """Each figure that is given or assumed, and the problem with a little less of it."""
    for cause in solution.values.values():
        definition = solution.problem.definitions.get(cause.name)
        stated = definition is not None and not names(definition.expr) and cause.kind in ("given", "assumed")
        # What is assumed of a figure that is given, such as another count of the params, answers for itself.
        if stated and cause.dim != DATE and cause.name != name and not (cause.by and cause.kind == "assumed"):
            yield cause, posed(cause.name)


def _bounds(problem: Problem) -> Iterator[tuple[Value, Problem]]:
    """Each bound that is a number of its own, of a requirement or a range, and the problem with a lower one."""
    for i, limit in enumerate(problem.limits):
        for bound in (limit.left, limit.right) if limit.kind in ("require", "range", "given") else ():
            if isinstance(bound, Num) and bound.dim != DATE:
                cause = Value(limit.name, bound.value, bound.dim, None, None, "given", "", (), "plan", limit.span)
                sides = [_less(bound) if side is bound else side for side in (limit.left, limit.right)]
                less = replace(limit, left=sides[0], right=sides[1])
                limits = (*problem.limits[:i], less, *problem.limits[i + 1 :])
                yield cause, replace(problem, limits=limits)


def _less(number: Num) -> Num:
    return Num(number.value * (1.0 - STEP), number.dim)


def _solved(problem: Problem, name: str) -> float | None:
    """A value at a problem's optimum; None where it has none, or the value is nothing there."""
    optimum, env = optimum_of(problem)
    if optimum.outcome != "optimal":
        return None
    every = dict(env)
    evaluate(problem, every)
    return every.get(name) or None
