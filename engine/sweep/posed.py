"""A problem whose figures are arrays: its constraints and goals over the variables and what is varied alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.types import Any
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.sweep.forms import Forms
from runplan.engine.sweep.grid import FUNCTIONS, range_of, whole

# By so much a constraint that does not bind is kept, and a multiplier is positive: with less it may be rounding.
CLEAR = 1e-7
# The two sides of a constraint, or of a line that a goal is to be near.
Sides = tuple[Expr, Expr]


@dataclass(frozen=True, slots=True)
class Region:
    """Where the same binds.

    Attributes:
        start: A solution there, in logarithms of the variables.
        held: For each goal that has something to decide, the inequalities, by their places, that have its multipliers.
        sides: For each of these goals that is to stay near a line, on which side of it: -1, 1, or 0 on it.
    """

    start: tuple[float, ...]
    held: tuple[frozenset[int], ...]
    sides: tuple[int, ...]

    @property
    def tight(self) -> list[int]:
        """The inequalities that bind, by their places."""
        return sorted(frozenset[int]().union(*self.held))


class Posed:
    """A problem over arrays.

    Attributes:
        variables: Their names, in order.
        inequalities, equalities: Their sides.
        goals: The sense of each, what it is of, and of one that is to be near something, that.
        forms: What its expressions are.
    """

    def __init__(self, problem: Problem) -> None:
        self.variables = tuple(v.name for v in problem.variables)

        def sides(constraint: Constraint) -> Sides:
            return problem.expanded(constraint.left), problem.expanded(constraint.most)

        self.inequalities = tuple(sides(c) for c in problem.constraints if not c.equal)
        self.equalities = tuple(sides(c) for c in problem.constraints if c.equal)
        self.goals = tuple(
            (goal.sense, problem.expanded(goal.expr), goal.other and problem.expanded(goal.other))
            for goal in problem.goals
        )
        self.forms = Forms(self.variables)
        self._evaluators: dict[int, Evaluator] = {}

    def ratio(self, sides: Sides, env: Mapping[Name, Any]) -> Any:
        """The ratio of two sides, of values over a grid; NaN where one of them is not positive."""
        left, right = (self._at(side)(env) for side in sides)
        ratio = left / right
        if range_of(left)[0] > 0 and range_of(right)[0] > 0:
            return ratio
        return np.where((whole(left) > 0) & (whole(right) > 0), whole(ratio), np.nan)

    def _at(self, expr: Expr) -> Evaluator:
        key = id(expr)  # it is kept: no other takes its place
        if key not in self._evaluators:
            self._evaluators[key] = compiled(expr, FUNCTIONS)
        return self._evaluators[key]
