"""A value of a solution to what would change it: the givens and assumptions that it answers to, and how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from runplan.dsl.expr.curve import ORDERS
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op
from runplan.dsl.units.base import DATE
from runplan.engine.problem.problem import Constraint, Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.reach import reached

# A figure is raised by this share; what is at its most, and what has no solution then, is lowered.
STEP = 0.01
# A share below this is none.
NOTHING = 1e-9
# An answer below this is rounding in the solver.
NOISE = 1e-3


# A problem with a figure, or a bound, that is a share larger.
Moved = Callable[[float], Problem]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that a value answers to.

    Attributes:
        cause: The figure, given or assumed; or the constraint of which the bound is moved.
        step: The share by which it is moved: less than nothing where it is lowered.
        before, after: The value in base units, the plan solved anew as it is meant: with whole devices.
    """

    cause: Value | Constraint
    step: float
    before: float
    after: float

    @property
    def per_cent(self) -> float:
        """By how many per cent the value moves."""
        return 100.0 * (self.after / self.before - 1.0)

    @property
    def elasticity(self) -> float:
        """By how many per cent the value goes up for each that the figure does."""
        return math.log(self.after / self.before) / math.log1p(self.step)

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
    moved: list[tuple[Value | Constraint, Moved]] = [*_figures(solution, name), *_bounds(problem)]
    for cause, by in moved if before else ():
        step = STEP
        after = _solved(by(step), name) if _may_rise(problem, cause) else None
        if after is None:
            step = -STEP
            after = _solved(by(step), name)
        if before and after and after * before > 0.0:
            change = Change(cause, step, before, after)
            found += [change] if abs(change.elasticity) > NOISE else []
    return tuple(sorted(found, key=lambda change: (-round(abs(change.elasticity), 6), change.text)))


def _may_rise(problem: Problem, cause: Value | Constraint) -> bool:
    """Whether a figure can be a little more: no share of a whole is more than all of it, no day has 25 hours."""
    if isinstance(cause, Constraint) or cause.name.text not in problem.quantities:
        return True
    facts = problem.quantities[cause.name.text].facts
    most = facts.given.most if facts.given is not None else math.inf
    return cause.value * (1.0 + STEP) <= min(most, 1.0 if facts.per_cent else math.inf)


def _figures(solution: Solution, name: Name) -> Iterator[tuple[Value, Moved]]:
    """Each figure that is given or assumed, and the problem with a share more or less of it."""
    problem = solution.problem
    inverted = {turned.definition.name for turned in problem.inverses}
    for cause in solution.values.values():
        definition = problem.definitions.get(cause.name)
        if definition is None or cause.kind not in ("given", "assumed") or cause.name in inverted:
            continue
        # What is assumed of a figure that is given, such as another count of the params, answers for itself.
        own = not (cause.by and cause.kind == "assumed") and cause.name != name
        if own and cause.dim != DATE and (problem.is_parameter(cause.name) or _is_curve(definition.expr)):
            yield cause, lambda step, of=cause.name: problem.scaled(of, 1.0 + step)  # type: ignore[misc]


def _is_curve(expr: Expr) -> bool:
    """Whether a figure is read from a table: then it is assumed as a figure is."""
    return isinstance(expr, Op) and expr.op in ORDERS


def _bounds(problem: Problem) -> Iterator[tuple[Constraint, Moved]]:
    """Each bound that is a number of its own, of a requirement or a range, and the problem with another one."""
    for i, constraint in enumerate(problem.constraints):
        movable = constraint.kind in ("require", "range", "given")
        for bound in (constraint.left, constraint.right) if movable else ():
            if isinstance(bound, Num) and bound.dim != DATE:
                yield constraint, lambda step, i=i, of=bound: _moved(problem, i, of, step)  # type: ignore[misc]


def _moved(problem: Problem, at: int, bound: Num, step: float) -> Problem:
    """The problem with the bound of a constraint a share larger."""
    constraint, other = problem.constraints[at], Num(bound.value * (1.0 + step), bound.dim)
    left, right = (other if side is bound else side for side in (constraint.left, constraint.right))
    moved = replace(constraint, left=left, right=right)
    return replace(problem, constraints=(*problem.constraints[:at], moved, *problem.constraints[at + 1 :]))


def _solved(problem: Problem, name: Name) -> float | None:
    """A value at a problem's optimum; None where it has none, or the value is nothing there."""
    found = reached(problem)
    return (found.values.get(name) or None) if found.is_optimal else None
