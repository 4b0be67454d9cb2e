"""A solution that no form proves the best to how much better another could be, by bounds on all that there are."""

from __future__ import annotations

import math

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Expr, Op
from runplan.dsl.expr.values import compiled
from runplan.engine.problem.parts import Goal
from runplan.engine.problem.solution import Solution
from runplan.engine.problem.stretches import stretches
from runplan.engine.solve.proofs import bound_of

# A plan that could be better by less than this share is the best for all that it is planned for.
NEAR = 1e-3
# Bounds are sought until they are this near, as a share of what is reached, or this many boxes have been looked at.
ENOUGH, BOXES = 1e-4, 4000


def with_bounds(solution: Solution) -> Solution:
    """The solution with what bounds prove of it, where it is known to be a local optimum only."""
    problem = solution.problem.settled()
    if solution.status != "solved" or solution.certainty != "local" or not problem.goals or problem.is_of_chance:
        return solution  # of what is to be likely they would bound the draws about what was found, and no other choice
    goal = _small(problem.goals[0])
    env = {name: value.value for name, value in solution.values.items()}
    reached = float(compiled(goal)(env))
    parts = stretches(problem)
    gap = ENOUGH * abs(reached)
    least = min(bound_of(part, goal, reached, gap, BOXES // len(parts)) for part in parts)
    off = max(0.0, reached - least) / abs(reached) if reached else math.inf
    return replace(solution, certainty="bounds", gap=off) if off <= NEAR else solution


def _small(goal: Goal) -> Expr:
    """What a goal makes small."""
    if goal.other is not None:
        return Op("abs", (Op("ln", (Op("/", (goal.expr, goal.other)),)),))
    return Op("neg", (goal.expr,)) if goal.sense == "maximize" else goal.expr
