"""A value of a solution to what would change it: the givens and assumptions that it answers to, and how much."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from runplan.dsl.expr.curve import ORDERS
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.units.base import DATE
from runplan.engine.problem.problem import Constraint, Problem, derive
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.search import agreed, optimum_of

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
        cause: The figure, given or assumed; or the constraint of which the bound is moved.
        elasticity: By how many per cent the value goes up when the figure does by one, the plan solved anew; whole
            GPUs are not rounded.
    """

    cause: Value | Constraint
    elasticity: float

    @property
    def text(self) -> str:
        """What the figure is called, or the requirement as the plan writes it."""
        return self.cause.text if isinstance(self.cause, Constraint) else str(self.cause.name)


def changes(solution: Solution, name: Name) -> tuple[Change, ...]:
    """What would change a value, the strongest first; nothing for a date, and where the plan has no solution."""
    if solution.status != "solved" or solution.values[name].dim == DATE:
        return ()
    problem = solution.problem
    before = _solved(problem, name)
    if before is not None and abs(before) < NOTHING and solution.values[name].dim == ():
        return ()
    found = []
    moved: list[tuple[Value | Constraint, Problem]] = [*_figures(solution, name), *_bounds(problem)]
    for cause, lowered in moved if before else ():
        after = _solved(lowered, name)
        if before and after and after * before > 0.0:
            elasticity = math.log(after / before) / math.log1p(-STEP)
            found += [Change(cause, elasticity)] if abs(elasticity) > NOISE else []
    return tuple(sorted(found, key=lambda change: (-round(abs(change.elasticity), 6), change.text)))


def _figures(solution: Solution, name: Name) -> Iterator[tuple[Value, Problem]]:
    """Each figure that is given or assumed, and the problem with a little less of it."""
    problem = solution.problem
    inverted = {turned.definition.name for turned in problem.inverses}
    for cause in solution.values.values():
        definition = problem.definitions.get(cause.name)
        if definition is None or cause.kind not in ("given", "assumed") or cause.name in inverted:
            continue
        # What is assumed of a figure that is given, such as another count of the params, answers for itself.
        own = not (cause.by and cause.kind == "assumed") and cause.name != name
        if own and cause.dim != DATE and (problem.is_parameter(cause.name) or _is_curve(definition.expr)):
            yield cause, problem.scaled(cause.name, 1.0 - STEP)


def _is_curve(expr: Expr) -> bool:
    """Whether a figure is read from a table: then it is assumed as a figure is."""
    return isinstance(expr, Op) and expr.op in ORDERS


def _bounds(problem: Problem) -> Iterator[tuple[Constraint, Problem]]:
    """Each bound that is a number of its own, of a requirement or a range, and the problem with a lower one."""
    for i, constraint in enumerate(problem.constraints):
        movable = constraint.kind in ("require", "range", "given")
        for bound in (constraint.left, constraint.right) if movable else ():
            if isinstance(bound, Num) and bound.dim != DATE:
                sides = [_less(bound) if side is bound else side for side in (constraint.left, constraint.right)]
                less = replace(constraint, left=sides[0], right=sides[1])
                constraints = (*problem.constraints[:i], less, *problem.constraints[i + 1 :])
                yield constraint, replace(problem, constraints=constraints)


def _less(number: Num) -> Num:
    return Num(number.value * (1.0 - STEP), number.dim)


def _solved(problem: Problem, name: Name) -> float | None:
    """A value at a problem's optimum; None where it has none, or the value is nothing there."""
    problem = agreed(problem)
    found = optimum_of(problem)
    if not found.is_optimal:
        return None
    every = dict(found.values)
    derive(problem.settled(), every)
    return every.get(name) or None
