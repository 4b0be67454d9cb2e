"""A problem to its optimum: expressions to functions of logarithms, and what binds there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, names
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.jets import Jets
from runplan.engine.numeric.local import Smooth
from runplan.engine.numeric.optimise import Optimum, Outcome, minimise
from runplan.engine.numeric.starts import around
from runplan.engine.problem.derived import derive
from runplan.engine.problem.either import Alternative, Either
from runplan.engine.problem.parts import Certainty, Constraint, Goal, Taken, weakest
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.stretches import about_of, stretches
from runplan.engine.solve.proofs import Convexity, is_at_odds, is_empty, ran_off
from runplan.engine.solve.rounding import TOLERANCE

# Constraints are kept, where a search gave up on its way to no figure, to this much of the logarithm of a ratio.
KEPT = 1e-6
# Further starts where no form proves that the first search ends at the best.
STARTS = 7
# Of the outcomes of stretches of a problem the first of these is its own.
WORSE: tuple[Outcome, ...] = ("unbounded", "gave-up", "infeasible", "optimal")
# Optima of two stretches that differ by less are one: where they meet.
ALIKE = 1e-9
# Problems that are solved on the way to the best alternatives, before the search gives up.
BRANCHES = 500


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
        taken: The alternatives that were taken for it; a choice that is not among them it keeps of itself.
    """

    outcome: Outcome
    values: dict[Name, float]
    binding: tuple[Constraint, ...]
    part: Problem | None = None
    held: tuple[frozenset[int], ...] = ()
    certainty: Certainty = "convex"
    gap: float = 0.0
    taken: tuple[Taken, ...] = ()

    @property
    def is_optimal(self) -> bool:
        """Whether there is an optimum, and it was found."""
        return self.outcome == "optimal"


def optimum_of(problem: Problem) -> Found:
    """The optimum of a problem as it stands, without asking whether devices are whole."""
    problem = problem.settled()
    return _by_alternatives(problem) if problem.either else _by_stretches(problem)


def _by_stretches(problem: Problem) -> Found:
    """The optimum of a problem without choices: the best of its stretches."""
    parts = stretches(problem)
    if len(parts) == 1:
        return _optimum(parts[0])
    found = [_optimum(part) for part in parts]
    best = _best([(problem, one) for one in found])
    own = {constraint.key for constraint in problem.constraints}
    return replace(best, binding=tuple(c for c in best.binding if c.key in own), certainty=_certainty(found))


def _certainty(found: Iterable[Found]) -> Certainty:
    """How certain the best of several is, of which each is the end of a part."""
    return weakest("local" if one.outcome == "gave-up" else one.certainty for one in found)


def _by_alternatives(problem: Problem) -> Found:
    """The optimum of a problem with choices: branch and bound.

    Without the choices it is a relaxation: where its optimum keeps each of them it is the problem's. Else the first
    that it breaks is branched on. What bends is no relaxation, and is taken apart before anything is solved.
    """
    best: tuple[Problem, Found] | None = None
    ends: list[tuple[Problem, Found]] = []
    left: list[tuple[Problem, tuple[Taken, ...]]] = [(problem, ())]
    for _ in range(BRANCHES):
        if not left or (best is not None and not problem.goals):
            break
        tried, taken = left.pop()
        choice = _bends(tried)
        if choice is None:
            found = _by_stretches(tried)
            here = (tried, replace(found, taken=taken))
            is_no_better = best is not None and found.is_optimal and _best([best, here]) is best[1]
            choice = None if is_no_better else _broken(tried, found)
            if choice is None:
                ends.append((tried, found))
                best = here if found.is_optimal and not is_no_better else best
                continue
        ways = [at for at, way in enumerate(choice.alternatives) if _may_hold(tried, way)]
        left += ((tried.taking([(choice.key, at)]), (*taken, (choice.key, at))) for at in reversed(ways))
    certainty = _certainty(one for _, one in ends)
    if best is None and not left:
        worst = min((one for _, one in ends), key=_worse, default=Found("infeasible", {}, ()))
        return replace(worst, certainty=certainty)
    if best is None or (left and problem.goals):
        return Found("gave-up", {}, ())
    return replace(_best([best, *((tried, one) for tried, one in ends if not one.is_optimal)]), certainty=certainty)


def _bends(problem: Problem) -> Either | None:
    """The first choice between the pieces of something that the problem is about."""
    pieces = [choice for choice in problem.either if choice.requirement is None]
    about = about_of(problem) if pieces else frozenset()
    return next((choice for choice in pieces if choice.defines & about), None)


def _broken(problem: Problem, found: Found) -> Either | None:
    """The first choice of which an optimum keeps no alternative; where there is none the first that is left."""
    choices = [choice for choice in problem.either if choice.requirement is not None]
    if found.outcome == "infeasible" or not choices:
        return None
    if not found.is_optimal:
        return choices[0]
    every = dict(found.values)
    derive(problem, every)
    return next((choice for choice in choices if choice.excess(every) > TOLERANCE), None)


def _may_hold(problem: Problem, alternative: Alternative) -> bool:
    """Whether no figures alone keep an alternative from being taken."""
    for part in alternative.constraints:
        left, right = problem.expanded(part.left), problem.expanded(part.right)
        if names(left) | names(right):
            continue
        excess = replace(part, left=left, right=right, strict=False).excess({})
        if excess > (-TOLERANCE if part.strict else TOLERANCE):
            return False
    return True


def _worse(found: Found) -> int:
    return WORSE.index(found.outcome)


def _best(found: Sequence[tuple[Problem, Found]]) -> Found:
    """The best of several optima by the goals of their problems, in order; where one that is no worse by the goals
    before runs off, or none is, that.
    """
    optimal = [(problem, one) for problem, one in found if one.is_optimal]
    if not optimal:
        return min((one for _, one in found), key=_worse)
    (problem, best), *others = optimal
    least = goals_at(problem, best.values)
    for problem, one in others:
        goals = goals_at(problem, one.values)
        if is_better(goals, least):
            best, least = one, goals
    endless = ((problem, one) for problem, one in found if one.outcome == "unbounded")
    return next((one for problem, one in endless if not _is_outdone(problem, least)), best)


def _is_outdone(problem: Problem, least: tuple[float, ...]) -> bool:
    """Whether the goals of a problem that runs off, before the one that does, are worse than others."""
    for count in range(len(problem.goals) - 1, 0, -1):
        found = optimum_of(problem.aiming(*problem.goals[:count]))
        if found.is_optimal:
            return is_better(least[:count], goals_at(problem, found.values)[:count])
    return False


def goals_at(problem: Problem, values: Mapping[Name, float]) -> tuple[float, ...]:
    """What each goal comes to at values of the variables, the less the better."""
    return tuple(_reached(problem, goal, values) for goal in problem.goals)


def _reached(problem: Problem, goal: Goal, env: Mapping[Name, float]) -> float:
    """What a goal comes to, the less the better; inf where it has no value."""
    expr = goal.expr if goal.other is None else Op("/", (goal.expr, goal.other))
    try:
        value = float(compiled(problem.expanded(expr))(env))
    except (ArithmeticError, ValueError):
        return math.inf
    if goal.other is not None:
        return abs(math.log(value))
    return -value if goal.sense == "maximize" else value


def is_better(goals: tuple[float, ...], least: tuple[float, ...]) -> bool:
    """Whether goals, the first that differs by more than rounding, are lower."""
    for new, old in zip(goals, least, strict=True):
        if not math.isclose(new, old, rel_tol=ALIKE, abs_tol=ALIKE**2):
            return new < old
    return False


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


def posed(problem: Problem, variables: tuple[Name, ...]) -> Posed:
    """A problem as functions of the logarithms of some names, over which everything in it is expanded."""
    limits = tuple(c for c in problem.constraints if not c.equal)
    jets = problem.common.of(smooth.jets_over, (), variables)

    def function(constraint: Constraint) -> Smooth:
        left, right = (problem.expanded(side) for side in (constraint.left, constraint.right))
        by_figures = not names(left) | names(right)
        right = right if by_figures else problem.expanded(constraint.most)
        return problem.common.of(smooth.limit, (left, right), variables, jets)

    return Posed(
        tuple(_function(problem, goal, variables, jets) for goal in problem.goals),
        tuple(map(function, limits)),
        tuple(function(c) for c in problem.constraints if c.equal),
        limits,
    )


def _optimum(problem: Problem) -> Found:
    """The optimum of a problem whose formulas do not bend.

    Where its form proves it convex that is the best there is, and where none keeps the constraints there is none.
    Else a search may end beside either: it begins again elsewhere, and what no bound proves is called local.
    """
    of = posed(problem, tuple([v.name for v in problem.variables]))
    start = tuple(math.log(v.start) for v in problem.variables)
    first = minimise(of.goals, of.inequalities, of.equalities, start=start, nearby=problem.nearby)
    if problem.nearby and (near := _found(problem, of, first, "local")).is_optimal:
        return near
    if Convexity(problem, of.goals, of.inequalities, of.equalities).proves(first):
        return _found(problem, of, first, "convex")
    if first.outcome in ("infeasible", "gave-up") and is_at_odds(problem):
        return Found("infeasible", {}, (), certainty="bounds")
    elsewhere = () if first.everywhere else around(start, STARTS)
    others = (minimise(of.goals, of.inequalities, of.equalities, start=at) for at in elsewhere)
    found = [_found(problem, of, end, "local") for end in (first, *others)]
    if optimal := [one for one in found if one.is_optimal]:
        return _best([(problem, one) for one in optimal])
    if all(one.outcome == "infeasible" for one in found):
        return (
            replace(found[0], certainty="bounds")
            if not problem.tried and is_empty(problem)
            else Found("gave-up", {}, ())
        )
    return min(found, key=lambda one: WORSE.index(one.outcome))


def _found(problem: Problem, of: Posed, end: Optimum, certainty: Certainty) -> Found:
    """The end of a search in terms of the problem."""
    outcome = end.outcome
    if ran_off(end) and (outcome == "optimal" or (outcome == "gave-up" and end.violation <= KEPT)):
        outcome = "unbounded"
    values = {}
    if outcome == "optimal":
        values = {v.name: math.exp(x) for v, x in zip(problem.variables, end.x, strict=True)}
    # Multipliers are those of the first goal; what stops a later one short of a law's line binds as well.
    tight = set(end.binding) | (set(end.active) if any(g.sense == "near" for g in problem.goals) else set())
    binds = {of.limits[i].key for i in tight} | {c.key for c in problem.constraints if c.equal}
    binding = tuple(c for c in problem.constraints if c.key in binds)
    return Found(outcome, values, binding, problem, end.held, certainty)


def _function(problem: Problem, goal: Goal, variables: tuple[Name, ...], jets: Jets) -> Smooth:
    expr = problem.expanded(goal.expr)
    if goal.sense == "near":
        assert goal.other is not None
        other = problem.expanded(goal.other)
        return smooth.Square(problem.common.of(smooth.limit, (expr, other), variables, jets))
    return problem.common.of(smooth.objective, (expr,), variables, goal.sense == "maximize", jets)
