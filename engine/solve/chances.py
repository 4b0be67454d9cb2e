"""What is required of a probability to the comparison that keeps it just so, at what is chosen then.

`P(cost <= 30M USD) >= 90%` holds where the cost at the end of nine in ten draws is within the bound. Where one thing
decides, or what is chosen is a factor of it, that end is the same for whatever is chosen, and one solve finds the best.
Else it moves with the choice: it is taken about a choice, the best choice for it is found, and so on until both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from runplan.dsl.expr.logic import ways
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Op, walk
from runplan.dsl.expr.values import value as value_of
from runplan.engine.problem.draws import Draw
from runplan.engine.problem.problem import Constraint, Goal, Problem, derive
from runplan.engine.solve.likely import Likely
from runplan.engine.solve.search import Found
from runplan.engine.solve.whole import Reached, whole

# The end of the draws is met to this much; so often the draws about it are taken anew, and so often where it lies.
NEAR, FEW, TRIES = 1e-7, 3, 16

Values = Mapping[Name, float]


def whole_and_likely(problem: Problem, whole: Callable[[Problem], Reached] = whole) -> Reached:
    """The optimum with devices whole, in which each thing that is to be likely is."""
    likely = {c.key: Likely.of(problem, c.chance.condition) for c in problem.constraints if c.chance is not None}
    free = whole(problem.without(likely))
    if free.found.outcome == "infeasible":
        return replace(free, problem=problem)
    at = _every(problem, free.found.values if free.is_optimal else {v.name: v.start for v in problem.variables})
    about: dict[str, tuple[Draw, ...]] = {}
    for tried in range(TRIES):
        if tried < FEW:  # then they stay: others each time lead round and round
            about = {c.key: likely[c.key].about(at, level_of(problem, c)) for c in _chances(problem)}
        told = _told(problem, likely, about, at)
        reached = whole(told)
        if not reached.is_optimal:
            nearest = _nearest(told, likely, whole)
            if reached.found.outcome != "infeasible" or nearest is None or _same(at, nearest):
                return reached if _is_one_way(problem) else Reached(problem, Found("gave-up", {}, ()))
            at = nearest
            continue
        before, at = at, reached.values
        if _kept(told, likely, reached, at) or _same(before, at):
            return reached
    return Reached(problem, Found("gave-up", {}, ()))


def _is_one_way(problem: Problem) -> bool:
    """Whether each thing that is to be likely has one way to be so: of several, others may be where one is not."""
    return not any(
        isinstance(item, Op) and item.op == "or"
        for constraint in _chances(problem)
        if constraint.chance is not None
        for item in walk(ways(constraint.chance.condition))
    )


def level_of(problem: Problem, constraint: Constraint) -> float:
    """The share of what may be in which a constraint's condition is to hold."""
    assert constraint.chance is not None
    return float(value_of(problem.expanded(constraint.chance.level), {}))


def is_likely(problem: Problem, constraint: Constraint, values: Values) -> bool:
    """Whether a constraint's condition is as likely as it is to be, at all values of a solution."""
    assert constraint.chance is not None
    likely = Likely.of(problem.settled(), constraint.chance.condition)
    return likely.quantile(values, level_of(problem, constraint)) <= 1.0 + NEAR


def just_likely(problem: Problem, constraint: Constraint, values: Values) -> Constraint:
    """The constraint with the sides of a comparison that is kept, about a choice, just where it is likely enough."""
    assert constraint.chance is not None
    likely = Likely.of(problem.settled(), constraint.chance.condition)
    level = level_of(problem, constraint)
    left, right = likely.just_kept(values, level, likely.about(values, level))
    return replace(constraint, left=left, right=right)


def _told(problem: Problem, likely: Mapping[str, Likely], about: Mapping[str, Sequence[Draw]], at: Values) -> Problem:
    """The problem with what is to be likely as comparisons about a choice."""
    constraints = []
    for constraint in problem.constraints:
        if constraint.key in likely:
            own = constraint.key
            left, right = likely[own].just_kept(at, level_of(problem, constraint), about[own])
            constraint = replace(constraint, left=left, right=right)
        constraints.append(constraint)
    return replace(problem, constraints=tuple(constraints))


def _kept(problem: Problem, likely: Mapping[str, Likely], reached: Reached, at: Values) -> bool:
    """Whether all that is to be likely is, and what binds is no likelier than that."""
    binding = {constraint.key for constraint in reached.found.binding}
    for constraint in _chances(problem):
        score = likely[constraint.key].quantile(at, level_of(problem, constraint))
        if score > 1.0 + NEAR or (constraint.key in binding and not reached.real and score < 1.0 - NEAR):
            return False
    return True


def _nearest(problem: Problem, likely: Mapping[str, Likely], whole: Callable[[Problem], Reached]) -> Values | None:
    """All values where what is to be likely is as near to that as can be."""
    goals = (Goal("minimize", Op("/", (c.left, c.right))) for c in _chances(problem))
    found = whole(problem.without(likely).aiming(next(goals)))
    return found.values if found.is_optimal else None


def _chances(problem: Problem) -> Iterator[Constraint]:
    return (constraint for constraint in problem.constraints if constraint.chance is not None)


def _same(one: Values, other: Values) -> bool:
    return all(abs(one[name] - other[name]) <= NEAR * abs(one[name]) for name in one.keys() & other.keys())


def _every(problem: Problem, values: Values) -> Values:
    every = dict(values)
    derive(problem, every)
    return every
