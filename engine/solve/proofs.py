"""The end of a search to whether anything proves it: convexity in logarithms, or bounds over all that there is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.engine.numeric.curvature import (
    Bends,
    Space,
    is_convex_form,
    is_convex_in_figures,
    is_convex_limit,
    is_convex_objective,
    is_straight,
    is_straight_form,
    is_straight_in_figures,
)
from runplan.engine.numeric.functions import Square
from runplan.engine.numeric.local import Smooth
from runplan.engine.numeric.optimise import Optimum
from runplan.engine.problem.parts import Goal
from runplan.engine.problem.problem import Problem

# A logarithm beyond this (4e32) is of no figure that there is: the search ran off, to where a loss is flat to rounding.
ENDLESS = 75.0
# Boxes to look at for a proof that there is no solution.
BOXES = 2000


@dataclass(frozen=True, slots=True)
class Convexity:
    """A problem and its functions of logarithms, each to be minimised, at most 0, or 0, in the problem's own order."""

    problem: Problem
    goals: tuple[Smooth, ...]
    inequalities: tuple[Smooth, ...]
    equalities: tuple[Smooth, ...]

    def proves(self, found: Optimum) -> bool:
        """Whether convexity says that there is nothing better, or nothing at all; of no verdict there is no proof."""
        kept, straight = self._kept(), self._straight()
        if all(kept) and all(straight):
            return found.outcome != "optimal" or all(self._wanted())
        if found.outcome == "infeasible" and found.certificate is not None:
            limits, lines = found.certificate.support
            return all(kept[i] for i in limits) and all(straight[j] for j in lines)
        if not self.goals:  # each point that keeps the limits is as good; one far off is none
            return found.outcome == "optimal" and not ran_off(found)
        return found.outcome in ("optimal", "unbounded") and self._has_one_valley(kept, straight)

    def _has_one_valley(self, kept: Sequence[bool], straight: Sequence[bool]) -> bool:
        """Whether the limits, and the goals that are no ties, fall into parts that are convex, each in its own way."""
        # What is convex in logarithms has no parts: docs/design/0004-what-check-does-not-import.md.
        from runplan.engine.solve.joined import Item, has_one_valley

        wells, lines = iter(kept), iter(straight)
        found = []
        for c in self.problem.constraints:
            sides = self._expanded(c.left, c.right)
            in_figures = (is_straight_in_figures if c.equal else is_convex_in_figures)(*sides)
            found.append(Item(names(sides[0]) | names(sides[1]), next(lines if c.equal else wells), in_figures))
        for goal, in_logarithms in zip(self.problem.goals, self._wanted(), strict=False):
            sides = self._expanded(goal.expr, *(() if goal.other is None else (goal.other,)))
            in_figures = goal.other is None and is_convex_objective(
                *sides, bends=self._bends("figures"), maximize=goal.sense == "maximize"
            )
            found.append(Item(frozenset().union(*map(names, sides)), in_logarithms, in_figures))
        return has_one_valley(found)

    def _kept(self) -> list[bool]:
        """Whether each inequality is convex."""
        limits = (c for c in self.problem.constraints if not c.equal)
        return [
            is_convex_form(function)
            or is_convex_limit(*self._expanded(limit.left, limit.right), bends=self._bends("logarithms"))
            for function, limit in zip(self.inequalities, limits, strict=True)
        ]

    def _straight(self) -> list[bool]:
        """Whether each equality is a line, or a point."""
        limits = (c for c in self.problem.constraints if c.equal)
        return [
            is_straight_form(function) or is_straight(*self._expanded(limit.left, limit.right))
            for function, limit in zip(self.equalities, limits, strict=True)
        ]

    def _wanted(self) -> Iterator[bool]:
        """Whether each goal that is no tie is convex."""
        goals = self.problem.goals
        for function, goal in zip(self.goals, goals[: len(goals) - self.problem.ties], strict=False):
            yield self._is_convex(function, goal)

    def _is_convex(self, function: Smooth, goal: Goal) -> bool:
        if goal.other is not None:
            straight = isinstance(function, Square) and is_straight_form(function.of)
            return straight or is_straight(*self._expanded(goal.expr, goal.other))
        maximize = goal.sense == "maximize"
        return is_convex_form(function) or is_convex_objective(
            *self._expanded(goal.expr), bends=self._bends("logarithms"), maximize=maximize
        )

    def _bends(self, space: Space) -> Bends:
        """How expressions bend, for all problems that this one is made of and made from."""
        return self.problem.common.of(Bends, (), space)

    def _expanded(self, *sides: Expr) -> list[Expr]:
        return [self.problem.expanded(side) for side in sides]


def ran_off(found: Optimum) -> bool:
    """Whether a search went to where no figure is."""
    return max(map(abs, found.x), default=0.0) > ENDLESS


def bound_of(problem: Problem, goal: Expr | None, best: float, gap: float, boxes: int) -> float:
    """How low a goal can be in a problem whose formulas do not bend; inf where nothing keeps its constraints.

    Args:
        goal: None where it is only asked whether anything does.
        best: A value that is reached; the bound is sought until it is within `gap` of that.
        boxes: How many boxes to look at, at most.
    """
    # What is convex by its form needs no bounds: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.numeric.bounds import Limit, least_possible

    limits = [Limit(problem.expanded(c.left), problem.expanded(c.right), c.equal) for c in problem.constraints]
    variables: Sequence[Name] = [v.name for v in problem.variables]
    expr = None if goal is None else problem.expanded(goal)
    box = tuple((-ENDLESS, ENDLESS) for _ in variables)
    return least_possible(expr, limits, variables, box, best=best, gap=gap, boxes=boxes)


def is_empty(problem: Problem) -> bool:
    """Whether bounds prove that nothing keeps the constraints of a problem."""
    return bound_of(problem, None, math.inf, 0.0, BOXES) == math.inf


def is_at_odds(problem: Problem) -> bool:
    """Whether limits on one name cannot hold together, whatever that name comes to and hangs on."""
    sides = (side for c in problem.constraints for side in (c.left, c.right))
    return any(
        _is_at_odds(problem, name) for name in dict.fromkeys(name for side in sides for name in sorted(names(side)))
    )


def _is_at_odds(problem: Problem, name: Name) -> bool:
    """Whether no value of a name keeps the limits that are on it alone."""
    from runplan.engine.numeric.bounds import Limit, least_possible

    alone = replace(problem, definitions={n: d for n, d in problem.definitions.items() if n != name})
    limits = []
    for c in problem.constraints:
        limit = Limit(alone.expanded(c.left), alone.expanded(c.right), c.equal)
        if names(limit.left) | names(limit.right) == {name}:
            limits.append((c, limit))
    if len(limits) < 2 or all(
        replace(c, left=limit.left, right=limit.right).excess({name: 0.0}) <= 0.0 for c, limit in limits
    ):
        return False
    box = ((-ENDLESS, ENDLESS),)
    return (
        least_possible(None, [limit for _, limit in limits], (name,), box, best=math.inf, gap=0.0, boxes=BOXES)
        == math.inf
    )
