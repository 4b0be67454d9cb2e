"""What draws move of a problem, and the general way to solve it at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, Ref, names
from runplan.engine.analysis.region import Line, Region, region_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import Draw, is_deviate, uncertain_constants
from runplan.engine.problem.parts import Constraint, Goal, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.whole import whole

# A search goes this far, in the logarithm of the size, from the solution at the published constants, and so near.
NEAR, CLOSE = 5.0, 1e-6
# A limit may be off by this much, relatively, where a draw is searched for.
LOOSE = 1e-5

# From a draw to the values of the variables; None where the draw has no solution.
Resolver = Callable[[Draw], dict[Name, float] | None]


class Same:
    """A resolver to which no draw makes a difference."""

    def __init__(self, values: Mapping[Name, float]) -> None:
        self.values = values

    def __call__(self, draw: Draw) -> dict[Name, float]:
        """The values of the variables."""
        return dict(self.values)


def general(problem: Problem, centre: Mapping[Name, float], held: Mapping[Name, float] | None = None) -> Resolver:
    """Each draw by the general solver, devices whole."""
    begun = problem.beginning(centre, nearby=True)

    def solved(draw: Draw) -> dict[Name, float] | None:
        reached = whole(begun.at(draw))
        return {**reached.found.values, **(held or {})} if reached.is_optimal else None

    return solved


def is_pinned(problem: Problem) -> bool:
    """Whether equalities leave nothing to choose; then a run that takes longer than there is time is still that run."""
    over, free = _equalities(problem), {v.name for v in problem.variables}
    return len(over) >= len(free) and free <= frozenset().union(*over)


def moved_by_law(problem: Problem, constraint: Constraint) -> bool:
    """Whether a constraint depends on the law's constants, such as a bound on the loss."""
    return moved(problem, constraint, lambda name: problem.is_drawn(name) and not is_deviate(name))


def leaves(problem: Problem, goal: Goal) -> bool:
    """Whether a goal is about what no equality settles alone."""
    free = {v.name for v in problem.variables}
    over = (each & free for each in _equalities(problem))
    settled = frozenset[Name]().union(*(each for each in over if len(each) == 1))
    about = goal.expr if goal.other is None else Op("/", (goal.expr, goal.other))
    return bool(names(problem.expanded(about)) & free - settled)


def _equalities(problem: Problem) -> list[frozenset[Name]]:
    """The names that each equality leads to which no draw moves."""
    equal = (c for c in problem.constraints if c.equal and not moved(problem, c, problem.is_drawn))
    return [leads_to((c.left, c.right), problem.definitions) for c in equal]


def is_of_law(problem: Problem, line: Goal) -> bool:
    """Whether draws of the law's constants move an optimum line."""
    assert line.other is not None, "a line is near something"
    uncertain = uncertain_constants(problem.law)
    return moved(problem, Constraint("", "", line.expr, line.other, "require"), lambda name: name in uncertain)


def moved(problem: Problem, constraint: Constraint, by: Callable[[Name], bool]) -> bool:
    """Whether a constraint depends on some of what is drawn."""
    return any(map(by, leads_to((constraint.left, constraint.right), problem.definitions)))


def loss_of(problem: Problem) -> Expr:
    """The loss over the variables and what is drawn."""
    return problem.undrawn().expanded(Ref(q.LOSS))


def region_at(
    lines: Callable[[Draw], list[Line]] | None, centre: Mapping[str, float]
) -> Callable[[Draw], Region | None] | None:
    """The region that lines leave at a draw; None where there are no such lines."""
    if lines is None:
        return None
    before: tuple[list[Line], Region | None] | None = None

    def at(draw: Draw) -> Region | None:
        nonlocal before
        found = lines(draw)
        if before is None or found is not before[0]:
            before = found, region_of(found, centre)
        return before[1]

    return at
