"""What is required of a probability to the comparison that keeps it just so, at what is chosen then.

`P(cost <= 30M USD) >= 90%` holds where the cost at the end of nine in ten draws is within the bound. Where one thing
decides, or what is chosen is a factor of it, that end is the same for whatever is chosen, and one solve finds the best.
Else it moves with the choice: it is taken about a choice, the best choice for it is found, and so on until both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import replaced, ways
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Op, walk
from runplan.dsl.expr.values import value as value_of
from runplan.engine.problem.derived import derive
from runplan.engine.problem.draws import Draw
from runplan.engine.problem.either import Alternative, Either
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.likely import Likely
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.search import Found, goals_at, is_better
from runplan.engine.solve.whole import Reached, whole

# The end of the draws is met to this much; so often the draws about it are taken anew, and so often where it lies.
NEAR, FEW, TRIES = 1e-7, 3, 16

Values = Mapping[Name, float]
# The optimum of a problem in which nothing is to be likely.
Solver = Callable[[Problem], Reached]


def whole_and_likely(problem: Problem, whole: Solver = whole) -> Reached:
    """The optimum with devices whole, in which each thing that is to be likely is.

    Where that is part of a choice, the optimum without the choice is that with it if it keeps one of the ways. Else
    each way is taken, and the best is the optimum.
    """
    choices = [choice for choice in problem.either if any(part.chance for part in choice.parts)]
    if not choices:
        return _likely(problem, whole)
    relaxed = _likely(problem.without({choice.key for choice in choices}), whole)
    if relaxed.found.outcome == "infeasible":
        return replace(relaxed, problem=problem)
    first, *_ = (*(c for c in choices if relaxed.is_optimal and not keeps(problem, c, relaxed.values)), *choices)
    order = range(len(first.alternatives))
    kept = [at for at in order if relaxed.is_optimal and all_keep(problem, first.alternatives[at], relaxed.values)]
    ways = [whole_and_likely(problem.taking([(first.key, at)]), whole) for at in (kept[:1] or order)]
    return _best(problem, ways)


def _best(problem: Problem, ways: Sequence[Reached]) -> Reached:
    """The best of the ways to keep a choice; where one is not known to have none, that is said to be local."""
    optimal = [one for one in ways if one.is_optimal]
    if not optimal:
        worst = next((one for one in ways if one.found.outcome != "infeasible"), ways[0])
        return worst if worst.found.outcome != "infeasible" else replace(worst, problem=problem)
    best, *others = optimal
    for one in others:
        if is_better(*(goals_at(each.problem.settled(), each.found.values) for each in (one, best))):
            best = one
    if any(one.found.outcome == "gave-up" for one in ways):
        best = replace(best, found=replace(best.found, certainty="local"))
    return best


def keeps(problem: Problem, one: Constraint | Either, values: Values) -> bool:
    """Whether all values of a solution keep what is required; of a probability, as likely as is asked."""
    if isinstance(one, Either):
        return any(all_keep(problem, way, values) for way in one.alternatives)
    return one.excess(values) <= TOLERANCE if one.chance is None else is_likely(problem, one, values)


def all_keep(problem: Problem, way: Alternative, values: Values) -> bool:
    """Whether they keep all of a way."""
    every: tuple[Constraint | Either, ...] = (*way.constraints, *way.either)
    return all(keeps(problem, one, values) for one in every)


def _likely(problem: Problem, whole: Solver) -> Reached:
    """The optimum of a problem whose chances are no choice.

    What `or` joins inside of one is sought from where the plan is best without it, and from where each way alone is as
    likely as all of them are to be: there they are. No form proves that no other way is better.
    """
    found = _settled(problem, whole)
    ways = [_one_way(problem, *way) for way in _ways_in(problem)]
    if not ways or found.found.outcome == "infeasible":
        return found
    alone = [way for way in (_likely(each, whole) for each in ways) if way.is_optimal]
    best = _best(problem, [found, *(_settled(problem, whole, way.values) for way in alone)])
    return replace(best, found=replace(best.found, certainty="local"))


def _ways_in(problem: Problem) -> Iterator[tuple[Constraint, Expr, Expr]]:
    """What the first `or` inside of a probability joins: the constraint, all of it, and each part."""
    for constraint in _chances(problem):
        assert constraint.chance is not None
        for item in walk(ways(constraint.chance.condition)):
            if isinstance(item, Op) and item.op == "or":
                yield from ((constraint, item, arg) for arg in item.args)
                return


def _one_way(problem: Problem, constraint: Constraint, joined: Expr, way: Expr) -> Problem:
    """The problem in which one of several ways alone is to be as likely."""
    assert constraint.chance is not None
    condition = replaced(ways(constraint.chance.condition), joined, way)
    return problem.replacing(replace(constraint, chance=replace(constraint.chance, condition=condition)))


def _settled(problem: Problem, whole: Solver, start: Values | None = None) -> Reached:
    """The optimum at which the ends of the draws agree with what is chosen, found from a start."""
    likely = {c.key: Likely.of(problem, c.chance.condition) for c in problem.constraints if c.chance is not None}
    free = whole(problem.without(likely))
    if free.found.outcome == "infeasible":
        return replace(free, problem=problem)
    at = start or _every(
        problem, free.found.values if free.is_optimal else {v.name: v.start for v in problem.variables}
    )
    about: dict[str, tuple[Draw, ...]] = {}
    for tried in range(TRIES):
        if tried < FEW:  # then they stay: others each time lead round and round
            about = {c.key: likely[c.key].about(at, level_of(problem, c)) for c in _chances(problem)}
        told = _told(problem, likely, about, at)
        reached = whole(told.beginning(at) if tried else told)
        if not reached.is_optimal:
            nearest = _nearest(told, likely, whole)
            if reached.found.outcome != "infeasible" or nearest is None or _same(at, nearest):
                return Reached(problem, Found("gave-up", {}, ())) if any(_ways_in(problem)) else reached
            at = nearest
            continue
        before, at = at, reached.values
        if _kept(told, likely, reached, at) or _same(before, at):
            return _as_certain(reached, about)
    return Reached(problem, Found("gave-up", {}, ()))


def _as_certain(reached: Reached, about: Mapping[str, Sequence[Draw]]) -> Reached:
    """An optimum of which the form proves nothing beyond its draws, where what binds is the mean of several: further
    away others are at the end."""
    by_mean = {key for key, drawn in about.items() if len(drawn) > 1}
    if by_mean.isdisjoint(constraint.key for constraint in reached.found.binding):
        return reached
    return replace(reached, found=replace(reached.found, certainty="local"))


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
