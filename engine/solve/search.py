"""A problem to its optimum: expressions to functions of logarithms, and what binds there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.bounds import Limit, least_possible
from runplan.engine.numeric.curvature import (
    is_convex_form,
    is_convex_limit,
    is_convex_objective,
    is_straight,
    is_straight_form,
)
from runplan.engine.numeric.local import Point, Smooth
from runplan.engine.numeric.optimise import Optimum, Outcome, minimise
from runplan.engine.numeric.starts import around
from runplan.engine.problem.problem import Certainty, Constraint, Goal, Problem, weakest
from runplan.engine.problem.stretches import stretches

# A logarithm beyond this (4e32) is of no figure that there is: the search ran off, to where a loss is flat to rounding.
ENDLESS = 75.0
# Constraints are kept, where a search gave up on its way to no figure, to this much of the logarithm of a ratio.
KEPT = 1e-6
# Further starts where no form proves that the first search ends at the best, and boxes for a proof that there is none.
STARTS, BOXES = 7, 2000
# Of the outcomes of stretches of a problem the first of these is its own.
WORSE: tuple[Outcome, ...] = ("unbounded", "gave-up", "infeasible", "optimal")
# Optima of two stretches that differ by less are one: where they meet.
ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Found:
    """The optimum of a problem.

    Attributes:
        values: Of the variables, in base units; empty where the outcome is not `optimal`.
        binding: The constraints that bind.
        certainty: What proves the outcome.
        gap: Where bounds prove an optimum, how much better another could be by the first goal, as a share.
    """

    outcome: Outcome
    values: dict[Name, float]
    binding: tuple[Constraint, ...]
    certainty: Certainty = "convex"
    gap: float = 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether there is an optimum, and it was found."""
        return self.outcome == "optimal"


def optimum_of(problem: Problem) -> Found:
    """The optimum of a problem as it stands, without asking whether devices are whole."""
    problem = problem.settled()
    parts = stretches(problem)
    if len(parts) == 1:
        return _optimum(parts[0])
    found = [_optimum(part) for part in parts]
    optimal = [one for one in found if one.is_optimal]
    if not optimal or any(one.outcome == "unbounded" for one in found):
        return min((one for one in found if not one.is_optimal), key=lambda one: WORSE.index(one.outcome))
    best = _best(problem, optimal)
    own = {constraint.key for constraint in problem.constraints}
    unsure = any(one.outcome == "gave-up" for one in found)
    certainty = "local" if unsure else weakest(one.certainty for one in found)
    return replace(best, binding=tuple(c for c in best.binding if c.key in own), certainty=certainty)


def _best(problem: Problem, found: Sequence[Found]) -> Found:
    """The best of several optima by the goals, in order: to rounding alike by one, they are told apart by the next."""
    for goal in problem.goals:
        sense = -1.0 if goal.sense == "maximize" else 1.0
        at = [sense * _reached(problem, goal, one) for one in found]
        least = min(at)
        found = [one for one, value in zip(found, at, strict=True) if value <= least + ALIKE * abs(least)]
    return found[0]


def _reached(problem: Problem, goal: Goal, found: Found) -> float:
    """The value of a goal at an optimum."""
    expr = goal.expr if goal.other is None else Op("/", (goal.expr, goal.other))
    value = float(compiled(problem.expanded(expr))(found.values))
    return abs(math.log(value)) if goal.other is not None else value


def _optimum(problem: Problem) -> Found:
    """The optimum of a problem whose formulas do not bend.

    Where its form proves it convex that is the best there is, and where none keeps the constraints there is none.
    Else a search may end beside either: it begins again elsewhere, and what no bound proves is called local.
    """
    posed = _posed(problem)
    first = posed.minimised(posed.start)
    if posed.proves(first):
        return posed.found(first)
    tried = [first, *(posed.minimised(start) for start in around(posed.start, STARTS))]
    found = [posed.found(one, "local") for one in tried]
    optimal = [one for one in found if one.is_optimal]
    if optimal:
        return _best(problem, optimal)
    if all(one.outcome == "infeasible" for one in found):
        return replace(found[0], certainty="bounds") if posed.is_empty() else Found("gave-up", {}, ())
    return min(found, key=lambda one: WORSE.index(one.outcome))


@dataclass(frozen=True, slots=True)
class _Posed:
    """A problem as functions of logarithms, and what is proven of each.

    Attributes:
        order: The constraints that are inequalities.
        wanted: Whether each goal that is no tie is convex.
        kept: Whether each inequality is, and `straight` whether each equality is a line.
        start: Where the search begins.
    """

    problem: Problem
    goals: tuple[Smooth, ...]
    inequalities: tuple[Smooth, ...]
    equalities: tuple[Smooth, ...]
    order: tuple[Constraint, ...]
    wanted: tuple[bool, ...]
    kept: tuple[bool, ...]
    straight: tuple[bool, ...]
    start: Point

    def minimised(self, start: Point) -> Optimum:
        """The minimum that a search from a point ends at."""
        return minimise(self.goals, self.inequalities, self.equalities, start=start)

    def proves(self, found: Optimum) -> bool:
        """Whether convexity says that there is nothing better, or nothing at all; of no verdict there is no proof."""
        if all(self.kept) and all(self.straight):
            return found.outcome != "optimal" or all(self.wanted)
        if found.outcome == "infeasible" and found.certificate is not None:
            limits, lines = found.certificate.support
            return all(self.kept[i] for i in limits) and all(self.straight[j] for j in lines)
        return False

    def is_empty(self) -> bool:
        """Whether bounds prove that no point keeps the constraints."""
        return bound_of(self.problem, None, math.inf, 0.0, BOXES) == math.inf

    def found(self, end: Optimum, certainty: Certainty = "convex") -> Found:
        """An end of a search in terms of the problem."""
        outcome = end.outcome
        ran_off = max(map(abs, end.x), default=0.0) > ENDLESS
        if ran_off and (outcome == "optimal" or (outcome == "gave-up" and end.violation <= KEPT)):
            outcome = "unbounded"
        problem = self.problem
        values = {}
        if outcome == "optimal":
            values = {v.name: math.exp(x) for v, x in zip(problem.variables, end.x, strict=True)}
        # Multipliers are those of the first goal; what stops a later one short of a law's line binds as well.
        tight = set(end.binding) | (set(end.active) if any(g.sense == "near" for g in problem.goals) else set())
        binds = {self.order[i].key for i in tight} | {c.key for c in problem.constraints if c.equal}
        return Found(outcome, values, tuple(c for c in problem.constraints if c.key in binds), certainty)


def bound_of(problem: Problem, goal: Expr | None, best: float, gap: float, boxes: int) -> float:
    """How low a goal can be in a problem whose formulas do not bend; inf where nothing keeps its constraints.

    Args:
        goal: None where it is only asked whether anything does.
        best: A value that is reached; the bound is sought until it is within `gap` of that.
        boxes: How many boxes to look at, at most.
    """
    memo: dict[Name, Expr] = {}
    limits = [
        Limit(problem.expanded(c.left, memo), problem.expanded(c.right, memo), c.equal) for c in problem.constraints
    ]
    names = [v.name for v in problem.variables]
    box = tuple((-ENDLESS, ENDLESS) for _ in names)
    expr = None if goal is None else problem.expanded(goal, memo)
    return least_possible(expr, limits, names, box, best=best, gap=gap, boxes=boxes)


def _posed(problem: Problem) -> _Posed:
    variables = [v.name for v in problem.variables]
    memo: dict[Name, Expr] = {}
    inequalities: list[tuple[Smooth, bool]] = []
    equalities: list[tuple[Smooth, bool]] = []
    for constraint in problem.constraints:
        left, right = (problem.expanded(side, memo) for side in (constraint.left, constraint.right))
        function = smooth.limit(left, right, variables)
        if constraint.equal:
            equalities.append((function, is_straight_form(function) or is_straight(left, right)))
        else:
            inequalities.append((function, is_convex_form(function) or is_convex_limit(left, right)))
    goals = [_goal(problem, goal, variables, memo) for goal in problem.goals]
    wanted = goals[: len(goals) - problem.ties]
    return _Posed(
        problem,
        tuple(function for function, _ in goals),
        tuple(function for function, _ in inequalities),
        tuple(function for function, _ in equalities),
        tuple(c for c in problem.constraints if not c.equal),
        tuple(convex for _, convex in wanted),
        tuple(convex for _, convex in inequalities),
        tuple(straight for _, straight in equalities),
        tuple(math.log(v.start) for v in problem.variables),
    )


def _goal(problem: Problem, goal: Goal, variables: Sequence[Name], memo: dict[Name, Expr]) -> tuple[Smooth, bool]:
    """A goal as a function to be made small, and whether that is convex."""
    expr = problem.expanded(goal.expr, memo)
    if goal.sense == "near":
        assert goal.other is not None
        other = problem.expanded(goal.other, memo)
        off = smooth.limit(expr, other, variables)
        return smooth.Square(off), is_straight_form(off) or is_straight(expr, other)
    maximize = goal.sense == "maximize"
    function = smooth.objective(expr, variables, maximize=maximize)
    return function, is_convex_form(function) or is_convex_objective(expr, maximize=maximize)
