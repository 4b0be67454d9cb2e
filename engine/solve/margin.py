"""A problem to how far it is from being kept: whether it can be solved, and what its figures alone decide."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Ref, names
from runplan.engine.problem.derived import derive
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.digits import aligned
from runplan.engine.solve.needed import again
from runplan.engine.solve.reach import reached
from runplan.engine.solve.rounding import TOLERANCE
from runplan.engine.solve.whole import Reached, node_of


def margin(problem: Problem, wanted: Collection[str] = (), broken: frozenset[str] = frozenset()) -> float:
    """By how much, as a logarithm, a plan breaks what it has to keep: at most 0 where it can be kept; inf where it
    has no solution.

    Args:
        wanted: Keys of the requirements that it tells of where all are kept: any of them unless said.
        broken: Requirements that the figures break all the same.
    """
    problem = replace(aligned(again(problem)), tried=True)
    # Where figures decide nothing, how good a solution is does not matter: any is as good as the best.
    decided = any(part.key not in broken for part in problem.held)
    for aimed in problem.aimed() if decided else ():
        found = reached(aimed)
        if found.is_optimal:
            return _of_values(problem, found.values_for(_asked(problem)), wanted, broken)
        if found.found.outcome == "infeasible":
            return math.inf
    # A plan that leaves something open leaves it open with room, too.
    return 0.0 if reached(problem.aiming()).is_optimal else math.inf


def makes_room(problem: Problem, broken: frozenset[str] = frozenset()) -> bool:
    """Whether a plan can be kept: it can be solved, and what its figures alone decide holds.

    Args:
        broken: Requirements that the figures break all the same.
    """
    return margin(problem, (), broken) <= 0.0


def broken_of(problem: Problem, values: Mapping[Name, float]) -> frozenset[str]:
    """The keys of the requirements that figures alone decide, and that they break."""
    every = dict(values)
    derive(problem, every, _asked(problem))
    return frozenset(part.key for part in problem.held if _off(problem, part, every) > 0.0)


def broken_at(found: Reached) -> frozenset[str]:
    """The same of the optimum of a problem."""
    return broken_of(found.problem, found.values_for(_asked(found.problem)))


def margin_at(problem: Problem, values: Mapping[Name, float], wanted: Collection[str]) -> float:
    """The margin of a problem that has all values of its solution."""
    return _of_values(problem, values, wanted, frozenset())


def rests_on(problem: Problem, wanted: Iterable[Constraint | Either]) -> frozenset[Name]:
    """The names that a solution rests on, and what is wanted of it."""
    goals = [*problem.goals, *(goal for aim in problem.instead for goal in (*aim.goals, *aim.ties))]
    exprs = [side for goal in goals for side in (goal.expr, goal.other) if side is not None]
    for one in (*problem.constraints, *problem.either, *wanted):
        exprs += compared(one)
    exprs += [expr for choice in problem.either for way in choice.alternatives for _, expr in way.definitions]
    exprs += [expr for turned in problem.inverses for expr in (turned.expr, turned.of.expr)]
    exprs += [definition.expr for definition in problem.repeats]
    exprs += [expr for group in problem.evenly for part in group.parts for expr in (part.amount, part.limit)]
    exprs += [Ref(node_of(v.name)) for v in problem.variables]
    return leads_to(exprs, problem.definitions)


def compared(kept: Constraint | Either) -> list[Expr]:
    """What is compared in what a solution keeps: of a probability what is to be likely, and how likely."""
    sides = [side for part in kept.parts for side in (part.left, part.right)]
    return sides + [side for part in kept.parts if (of := part.chance) for side in (of.condition, of.level)]


def has_other(problem: Problem, other: Problem, rests: Collection[Name]) -> bool:
    """Whether a problem in which a figure is another has another solution, or may have.

    Args:
        rests: What the solution rests on.
    """
    kept, new = ((*p.variables, *p.constraints, *p.either) for p in (problem, other))
    if any(a is not b for a, b in zip(kept, new, strict=True)):
        return True
    return any(name in rests and problem.definitions.get(name) is not d for name, d in other.definitions.items())


def keeps_all(problem: Problem, values: Mapping[Name, float], parts: Collection[Constraint | Either]) -> bool:
    """Whether values of the variables keep some of a problem for sure: not what cannot be computed."""
    every = dict(values)
    sides = [side for one in parts for part in one.parts for side in (part.left, part.right)]
    derive(problem, every, sides)
    return all(names(side) <= every.keys() for side in sides) and all(part.excess(every) <= TOLERANCE for part in parts)


def _of_values(
    problem: Problem, values: Mapping[Name, float], wanted: Collection[str], broken: frozenset[str]
) -> float:
    every = dict(values)
    derive(problem, every, _asked(problem))
    off = {part.key: _off(problem, part, every) for part in problem.held if part.key not in broken}
    told = [by for key, by in off.items() if by > 0.0] or [off[key] for key in wanted if key in off]
    return max(told, default=0.0)


def _asked(problem: Problem) -> list[Expr] | None:
    """What is computed of a solution to tell what it breaks; None for everything, where that is drawn anew."""
    parts = [one for part in problem.held for one in part.parts]
    if any(one.chance for one in parts):
        return None
    return [side for one in parts for side in (one.left, one.right)]


def _off(problem: Problem, part: Constraint | Either, values: Mapping[Name, float]) -> float:
    """By how much, as a logarithm, all values of a solution break a requirement that they decide; of a probability,
    only whether it is as likely as is asked.
    """
    if any(one.chance for one in part.parts):
        from runplan.engine.solve.chances import keeps

        return 0.0 if keeps(problem, part, values) else math.inf
    excess = part.excess(values) - TOLERANCE
    if excess <= 0.0:
        return math.log1p(max(excess, -1.0 + TOLERANCE))
    return -math.log1p(-excess) if excess < 1.0 else math.inf
