"""A problem to its optimum: expressions to functions of logarithms, and what binds there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.local import Smooth
from runplan.engine.numeric.optimise import Optimum, Outcome, minimise
from runplan.engine.numeric.starts import around
from runplan.engine.problem.problem import Certainty, Constraint, Goal, Problem, weakest
from runplan.engine.problem.stretches import stretches
from runplan.engine.solve.proofs import ENDLESS, Convexity, is_empty

# Constraints are kept, where a search gave up on its way to no figure, to this much of the logarithm of a ratio.
KEPT = 1e-6
# Further starts where no form proves that the first search ends at the best.
STARTS = 7
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
        part: The problem whose formulas are smooth there: the whole one, or the stretch of it with the optimum.
        held: For each goal of that part that had something to decide, the inequalities, by their place among these,
            that have a multiplier of it.
        certainty: What proves the outcome.
        gap: Where bounds prove an optimum, how much better another could be by the first goal, as a share.
    """

    outcome: Outcome
    values: dict[Name, float]
    binding: tuple[Constraint, ...]
    part: Problem | None = None
    held: tuple[frozenset[int], ...] = ()
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


@dataclass(frozen=True, slots=True)
class Posed:
    """A problem as functions of logarithms, each to be minimised, at most 0, or 0.

    Attributes:
        limits: The constraints that the inequalities are of.
    """

    goals: tuple[Smooth, ...]
    inequalities: tuple[Smooth, ...]
    equalities: tuple[Smooth, ...]
    limits: tuple[Constraint, ...]


def posed(problem: Problem, variables: Sequence[Name]) -> Posed:
    """A problem as functions of the logarithms of some names, over which everything in it is expanded."""
    memo: dict[Name, Expr] = {}
    limits = tuple(c for c in problem.constraints if not c.equal)

    def function(constraint: Constraint) -> Smooth:
        left, right = (problem.expanded(side, memo) for side in (constraint.left, constraint.right))
        return smooth.limit(left, right, variables)

    return Posed(
        tuple(_function(problem, goal, variables, memo) for goal in problem.goals),
        tuple(map(function, limits)),
        tuple(function(c) for c in problem.constraints if c.equal),
        limits,
    )


def _optimum(problem: Problem) -> Found:
    """The optimum of a problem whose formulas do not bend.

    Where its form proves it convex that is the best there is, and where none keeps the constraints there is none.
    Else a search may end beside either: it begins again elsewhere, and what no bound proves is called local.
    """
    of = posed(problem, [v.name for v in problem.variables])
    start = tuple(math.log(v.start) for v in problem.variables)
    first = minimise(of.goals, of.inequalities, of.equalities, start=start)
    if Convexity(problem, of.goals, of.inequalities, of.equalities).proves(first):
        return _found(problem, of, first, "convex")
    others = (minimise(of.goals, of.inequalities, of.equalities, start=at) for at in around(start, STARTS))
    found = [_found(problem, of, end, "local") for end in (first, *others)]
    if optimal := [one for one in found if one.is_optimal]:
        return _best(problem, optimal)
    if all(one.outcome == "infeasible" for one in found):
        return replace(found[0], certainty="bounds") if is_empty(problem) else Found("gave-up", {}, ())
    return min(found, key=lambda one: WORSE.index(one.outcome))


def _found(problem: Problem, of: Posed, end: Optimum, certainty: Certainty) -> Found:
    """The end of a search in terms of the problem."""
    outcome = end.outcome
    ran_off = max(map(abs, end.x), default=0.0) > ENDLESS
    if ran_off and (outcome == "optimal" or (outcome == "gave-up" and end.violation <= KEPT)):
        outcome = "unbounded"
    values = {}
    if outcome == "optimal":
        values = {v.name: math.exp(x) for v, x in zip(problem.variables, end.x, strict=True)}
    # Multipliers are those of the first goal; what stops a later one short of a law's line binds as well.
    tight = set(end.binding) | (set(end.active) if any(g.sense == "near" for g in problem.goals) else set())
    binds = {of.limits[i].key for i in tight} | {c.key for c in problem.constraints if c.equal}
    binding = tuple(c for c in problem.constraints if c.key in binds)
    return Found(outcome, values, binding, problem, end.held, certainty)


def _function(problem: Problem, goal: Goal, variables: Sequence[Name], memo: dict[Name, Expr]) -> Smooth:
    expr = problem.expanded(goal.expr, memo)
    if goal.sense == "near":
        assert goal.other is not None
        return smooth.Square(smooth.limit(expr, problem.expanded(goal.other, memo), variables))
    return smooth.objective(expr, variables, maximize=goal.sense == "maximize")
