"""What is wrong with a solution in several ways to changes that, made together, leave nothing wrong.

What makes room for one finding may take it from another: fewer devices keep a budget, and fewer tokens fit on them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.fixes import apart
from runplan.dsl.text.later import Later
from runplan.engine.judge.changes import ways_of
from runplan.engine.judge.requirements import all_of, fits_together
from runplan.engine.problem.derived import derive
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change, Solution
from runplan.engine.solve.conflict import way_out
from runplan.engine.solve.knob import Knob
from runplan.engine.solve.knobs import knobs_of
from runplan.engine.solve.margin import broken_of, compared
from runplan.engine.solve.needed import again
from runplan.engine.solve.room import room
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.solve import solve

# Changes that are made one after the other before the plan is taken for one that wants another.
STEPS = 5
# The findings that a change of figures ends.
ENDED = frozenset(("C003", "B001", "B002"))


def with_help(findings: Sequence[Finding], solution: Solution) -> list[Finding]:
    """Findings of one solution; of several errors each with what ends all of them at once."""
    wrong = {id(one) for one in findings if one.code in ENDED and one.severity == "error"}
    if len(wrong) < 2:
        return list(findings)
    changes = Later(lambda: at_once(solution))

    def helped(one: Finding) -> Finding:
        help = Later(lambda: [*one.help, *fits_together("all of this", changes)])
        fixes = Later(lambda: [*one.fixes] or all_of(changes))
        return replace(one, help=help, fixes=fixes)

    return [helped(one) if id(one) in wrong else one for one in findings]


def at_once(solution: Solution) -> list[Change]:
    """Changes of figures of the plan with which nothing is wrong with it any more; none where they are not found.

    Each ends the first thing that is wrong with what the ones before leave.
    """
    made: dict[str, tuple[Knob, float]] = {}
    for _ in range(STEPS):
        way = _way(solution)
        if way is None:
            return []
        knob, value = way
        # A figure that is changed again is written as it was before it was changed at all.
        made[knob.said] = (made.get(knob.said, way)[0], value)
        solution = solve(again(knob.at(solution.problem, value)))
        if solution.status == "solved" and not _broken(solution):
            changes = [first.change(last) for first, last in made.values()]
            return changes if _are_apart(changes) else []
    return []


def _way(solution: Solution) -> tuple[Knob, float] | None:
    """A change that ends something that is wrong with a solution: first what figures alone break, as what makes room
    beside it is another one after that; None where none does, or nothing is known.
    """
    if solution.status == "undecided":
        return None
    broken = _broken(solution)
    for one in solution.problem.held:
        if one.key in broken and (way := next(ways_of(solution, one), None) or _by_itself(solution, one)) is not None:
            return way
    return way_out(solution.problem) if solution.status == "infeasible" else None


def _by_itself(solution: Solution, one: Constraint | Either) -> tuple[Knob, float] | None:
    """A change of a figure that keeps what figures alone decide, whatever else comes of it; None where none does."""
    problem = solution.problem
    sides = compared(one)

    def off(changed: Problem) -> float:
        every: dict[Name, float] = {}
        derive(changed, every, sides)
        known = all(names(side) <= every.keys() for side in sides)
        return math.log1p(max(one.excess(every) - TOLERANCE, -0.5)) if known else math.inf

    stays = off(problem)
    for knob in knobs_of(problem) if stays < math.inf else ():
        if (value := room(problem, knob, off, stays=stays)) is not None:
            return knob, value
    return None


def _broken(solution: Solution) -> frozenset[str]:
    """The keys of the requirements that the figures of a solved plan break."""
    return broken_of(solution.problem, {name: value.value for name, value in solution.values.items()})


def _are_apart(changes: Collection[Change]) -> bool:
    """Whether changes are written in places of their own."""
    return len(apart(fix for change in changes for fix in all_of([change]))) == len(changes)
