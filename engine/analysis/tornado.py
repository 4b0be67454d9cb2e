"""A value of a solution to the ten figures that matter most: what it comes to where each is less and is more.

Which they are the derivative says; the plan is then solved with each end of each, as it is meant, with whole devices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Ref
from runplan.dsl.expr.values import value as value_of
from runplan.engine.analysis.causes import Cause, causes_of
from runplan.engine.analysis.sensitivity import Slope, elasticities
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.solve import solve
from runplan.engine.solve.verify import verify

MOST = 10
# Of a plan that leaves nothing to choose, what is asked of first.
ASKED = (q.COST, q.TIME, q.LOSS, q.COMPUTE)
# A value that moves by less than this share does not answer.
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class End:
    """A figure at one end of where it is tried, and what the value comes to there; None where the plan cannot be done.

    Both are in base units.
    """

    figure: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Swing:
    """What a value comes to at the ends of a figure.

    Attributes:
        before: The value as the plan has it, in base units.
        slope: How fast it changes at first; None where it does not until the figure is further away.
    """

    cause: Cause
    before: float
    low: End
    high: End
    slope: Slope | None

    @property
    def breaks(self) -> bool:
        """Whether the plan cannot be done at an end."""
        return self.low.value is None or self.high.value is None

    @property
    def width(self) -> float:
        """How far the value moves, at its furthest."""
        ends = [abs(end.value - self.before) for end in (self.low, self.high) if end.value is not None]
        return max(ends, default=0.0)


def asked_of(solution: Solution) -> Name | None:
    """What one would ask of a solution first: its goal, or where it leaves nothing to choose what it comes to."""
    goals = [goal.expr.name for goal in solution.problem.goals[:1] if isinstance(goal.expr, Ref)]
    asked = [*(goals if solution.problem.variables else ()), *ASKED]
    return next((name for name in asked if name in solution.values), None) if solution.status == "solved" else None


def swings(solution: Solution, name: Name, answers: Sequence[Slope] | None = None) -> tuple[Swing, ...]:
    """The figures that a value answers to most, the one that moves it furthest first.

    Args:
        answers: Its `elasticities`, where they are known.
    """
    answers = elasticities(solution, name) if answers is None else answers
    slopes = {slope.cause.factor: slope for slope in answers}
    likely = sorted(slopes.values(), key=lambda slope: (-_reach(slope), slope.cause.text))[:MOST]
    causes = [slope.cause for slope in likely]
    causes += [cause for cause in _nearly_binding(solution) if cause.factor not in slopes] if slopes else []
    found = [_swing(solution, name, cause, slopes.get(cause.factor)) for cause in causes]
    # What comes whole may stay where it is.
    moved = [one for one in found if one.slope or one.breaks or one.width > NOTHING * abs(one.before)]
    # Of what holds the plan an end that cannot be tells most; of what does not, least.
    return tuple(sorted(moved, key=lambda one: (not (one.breaks and one.slope), -one.width, one.cause.text))[:MOST])


def _reach(slope: Slope) -> float:
    """How far the value moves by its derivative."""
    cause = slope.cause
    sides = ((slope.less, cause.low), (slope.more, cause.high))
    return max((abs(by * math.log(end / cause.value)) for by, end in sides if by is not None), default=0.0)


def _nearly_binding(solution: Solution) -> Iterator[Cause]:
    """The bounds that do not bind, and would at an end of where they are tried; and how likely something is to be."""
    for cause in causes_of(solution):
        if cause.likely:
            yield cause
        elif isinstance(cause.of, Constraint) and cause.of.key not in solution.active:
            for end in (cause.low, cause.high):
                moved = cause.at(solution.problem, end)
                bound = next(c for c in moved.constraints if c.key == cause.of.key)
                left, right = (_at(solution, side) for side in (bound.left, bound.right))
                if left > right:
                    yield cause
                    break


def _at(solution: Solution, expr: Expr) -> float:
    """What an expression comes to at a solution."""
    return float(value_of(expr, {name: value.value for name, value in solution.values.items()}))


def _swing(solution: Solution, name: Name, cause: Cause, slope: Slope | None) -> Swing:
    low, high = (_end(solution, name, cause, figure) for figure in (cause.low, cause.high))
    return Swing(cause, solution.values[name].value, low, high, slope)


def _end(solution: Solution, name: Name, cause: Cause, figure: float) -> End:
    if figure == cause.value:
        return End(figure, solution.values[name].value)
    found = solve(cause.at(solution.problem, figure), why=False)
    if found.status != "solved":
        return End(figure, None)
    verify(found)
    return End(figure, found.get(name))
