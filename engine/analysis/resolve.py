"""A solution to the function that solves its plan anew for other constants of its law, and other rates.

A draw of the constants moves the loss, and with it the choice of size and tokens; a draw of what is assumed of the
devices moves what they give. Most plans leave one thing to be found: along the edge of what their limits allow, along
the curve on which a required loss is reached, or how many devices, or how long, a run takes. That is searched for here,
for each draw anew, whichever limits bind there. What is of another form the general solver solves.
"""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Num, Ref, names
from runplan.engine.analysis.drawn import (
    Resolver,
    Same,
    general,
    is_of_law,
    is_pinned,
    leaves,
    moved,
    moved_by_law,
)
from runplan.engine.analysis.spent import along_the_line, on_the_edge
from runplan.engine.analysis.taken import as_much_as_needed, at_a_loss
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import is_deviate, published
from runplan.engine.problem.following import Following
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.points import Points
from runplan.engine.problem.seeded import DRAWS
from runplan.engine.problem.solution import Solution

# Where each draw must be solved by the general solver, fewer of them are taken.
SLOW_DRAWS = 60


def resolver(solution: Solution) -> tuple[Resolver, int]:
    """A function from a draw to the values of the variables, and how many draws it is good for."""
    problem = solution.problem.deviating()
    centre = {v.name: solution.values[v.name].value for v in problem.variables if v.name in solution.values}
    if solution.status != "solved" or len(centre) < len(problem.variables):
        return lambda draw: None, 2
    if is_pinned(problem):
        return Same(centre), DRAWS
    of_the_run = problem.quantities.decided_by("run")
    # Of stages the hardware of each is what the split of the budget makes it.
    held = {} if problem.stages else {name: value for name, value in centre.items() if name.text not in of_the_run}
    # What nothing moves is no goal: of a run that is given the hardware is what it takes.
    free = set(centre)
    goal = next((each.expr for each in problem.goals if names(problem.expanded(each.expr)) & free), Num(0.0))
    if goal == Ref(q.LOSS):
        # The least loss takes all the hardware that the constraints allow, whatever the constants: only the run moves.
        found = on_the_edge(problem.fixed(held), {n: v for n, v in centre.items() if n not in held})
        if isinstance(found, Same):
            return Same({**found.values, **held}), DRAWS
        if found is not None:
            return (lambda draw: None if (run := found(draw)) is None else run | held), DRAWS
        return general(problem.fixed(held), centre, held), SLOW_DRAWS
    # As much compute as there is, in the size that a line has for it: there, too, only the run moves.
    wanted = (each for each in problem.goals if each.expr != Ref(q.COMPUTE) and leaves(problem, each))
    line = next(wanted, None)
    if line is not None and line.sense == "near" and is_of_law(problem, line):
        # Hardware that is to be found is what the run of each draw takes.
        quick = None if held else along_the_line(problem, line, centre)
        return (quick, DRAWS) if quick is not None else (general(problem, centre), SLOW_DRAWS)
    bounds = [c for c in problem.constraints if moved_by_law(problem, c)]
    if not bounds and not moved_by_law(problem, Constraint("", "", goal, Num(1.0), "require")):
        # Neither what is wanted nor what limits it is the law's: the constants move the loss, not the choice.
        if not any(moved(problem, c, is_deviate) for c in problem.constraints):
            return Same(centre), DRAWS
        quick = as_much_as_needed(problem, goal, centre, held)
    else:
        quick = at_a_loss(problem, goal, centre, held, bounds)
    return (quick, DRAWS) if quick is not None else (general(problem, centre), SLOW_DRAWS)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A function from draws to all values that the plan has there; those that cannot be told are left out.

    Attributes:
        at: The values of the variables, or all of them.
        following: All other values by these.
    """

    at: Resolver
    following: Following | None = None

    def __call__(self, draws: Points) -> tuple[list[int], Points]:
        """Which of some draws have a solution, by their place, and the values there."""
        if isinstance(self.at, Same):
            at, points = list(range(len(draws))), Points(len(draws), self.at.values)
        else:
            found = [(i, values) for i, draw in enumerate(draws.rows()) if (values := self.at(draw)) is not None]
            at = [i for i, _ in found]
            points = Points.of_rows([values for _, values in found])
        if self.following is None:
            return at, points
        return at, self.following.together(points.beside(draws.only(at)))


def evaluator(solution: Solution) -> tuple[Evaluator, int]:
    """The same as `resolver` for all values that the plan has."""
    resolve, count = resolver(solution)
    problem = solution.problem.deviating()
    known = {v.name for v in problem.variables} | published(problem.law).keys() | {*problem.deviates}
    return Evaluator(resolve, Following(problem.definitions, known)), count
