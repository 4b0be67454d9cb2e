"""Two problems, each with a quantity to make as good as can be, to the curve between their solutions, point by point.

Each point is the solution of one problem with the other's quantity held to a level. Levels are set where two neighbours
are furthest apart.
"""

from __future__ import annotations

import math

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan, Sense
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.engine.layout.fit import GLANCE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solutions import solution_of, within_memory
from runplan.engine.solve.reach import reached
from runplan.engine.solve.solve import solve
from runplan.engine.solve.verify import verify

# The key of the constraint that holds a quantity to a level.
LEVEL = "frontier"
# Where a curve has no end it is followed for so many times the other one.
FOLLOWED = 1000.0
# Points nearer than this, as a share of the curve, are one; a gap as narrow is none.
ALIKE = 1e-6
# By so much a level may be missed: it is a figure that the solver found.
ROUNDING = 1e-9
# Levels that are tried for each point that is wanted: in a gap there are none.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two quantities, and which way it is better.

    Attributes:
        text: As it was asked for.
        open: Whether it gets better without end, so that the curve is cut off.
    """

    text: str
    expr: Expr
    dim: Dim
    sense: Sense
    open: bool = False

    @property
    def is_figure(self) -> bool:
        """Whether a multiple of it says anything: of a date it does not."""
        return self.dim != DATE

    def of(self, solution: Solution) -> Value | None:
        """Its value in a solution, with the interval where it is a quantity; None where it has none."""
        if isinstance(self.expr, Ref):
            return solution.values.get(self.expr.name)
        try:
            value = float(value_of(self.expr, {name: known.value for name, known in solution.values.items()}))
        except (KeyError, ArithmeticError, ValueError):
            return None
        inputs = tuple(sorted(names(self.expr), key=str))
        return Value(Name(self.text), value, self.dim, None, None, "derived", self.expr, inputs, "", None)


@dataclass(frozen=True, slots=True)
class Point:
    """A solution on the curve, and its values of the two quantities."""

    x: Value
    y: Value
    solution: Solution

    @property
    def limits(self) -> tuple[str, ...]:
        """What binds, but for the level that a quantity is held to."""
        solution = self.solution
        level = {c.text for c in solution.problem.constraints if c.key == LEVEL}
        other = {c.text for c in solution.problem.constraints if c.key in solution.active and c.key != LEVEL}
        return tuple(text for text in solution.binding if text not in level or text in other)


@dataclass(slots=True)
class Curve:
    """The curve while it is followed.

    Attributes:
        is_laid: Whether the plan requires something of how the model lies on its devices.
    """

    x: Axis
    y: Axis
    by_x: Problem
    by_y: Problem
    plan: Plan
    catalogue: Library
    is_laid: bool
    missed: int = 0

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Both quantities, the first first."""
        return self.x, self.y

    def point(self, solution: Solution) -> Point | None:
        """A solution as a point; None where it has not both quantities."""
        x, y = self.x.of(solution), self.y.of(solution)
        return Point(x, y, solution) if x is not None and y is not None else None

    def whole(self, point: Point) -> Point | None:
        """A point with its intervals, and held to what the plan requires at the worst ends of its ranges; None where
        that cannot be kept there."""
        solution = solution_of(point.solution.problem, intervals=True)
        found = self.point(solution) if solution.status == "solved" else None
        self.missed += found is None
        return found

    # ---- solving

    def best_y(self, level: float | None = None) -> Solution:
        """The best of the second quantity, and then of the first, which is held to a level."""
        return self._best(self.by_y, self.y, self.x, level)

    def best_x(self, level: float | None = None) -> Solution:
        """The best of the first quantity, with the second held to a level, and the best of that which it leaves.

        Devices are rounded up once the first is found: what more of them can do is found by a problem of its own.
        """
        solution = self._best(self.by_x, self.x, self.y, level)
        found = self.x.of(solution)
        if solution.status != "solved" or found is None:
            return solution
        for slack in (0.0, ROUNDING if self.x.sense == "minimize" else -ROUNDING):
            better = self.best_y(found.value + slack * abs(found.value))
            if better.status == "solved":
                return better
        return solution

    def _best(self, problem: Problem, first: Axis, other: Axis, level: float | None) -> Solution:
        goals = (Goal(first.sense, first.expr), Goal(other.sense, other.expr))
        ties = tuple(goal for goal in problem.goals[len(problem.goals) - problem.ties :] if goal not in goals)
        aimed = replace(problem, goals=(*goals, *ties), ties=len(ties))
        if level is not None:
            sides = (other.expr, Num(level, other.dim))
            left, right = sides if other.sense == "minimize" else sides[::-1]
            held = Constraint(LEVEL, other.text, left, right, "require")
            aimed = replace(aimed, constraints=(*aimed.constraints, held))
        solution = _solved(aimed)
        if any(f.code == "C009" for f in solution.findings):
            # What the other comes to may hang on digits that the first has not: then the plan's own ties decide.
            solution = _solved(replace(aimed, goals=(goals[0], *ties)))
        return within_memory(self.plan, solution, self.catalogue, _solved, GLANCE, {})[0] if self.is_laid else solution

    def ends(self) -> tuple[Point, Point] | Solution:
        """The best of each quantity; what has no end is followed so far from the other; what has none, undone."""
        least, most = self.best_x(), self.best_y()
        if any(end.status == "infeasible" for end in (least, most)):
            return least if least.status == "infeasible" else most
        open_x, open_y = (end.status != "solved" and _is_open(end) for end in (least, most))
        self.x, self.y = replace(self.x, open=open_x), replace(self.y, open=open_y)
        start, stop = self.point(least), self.point(most)
        if open_x and stop is not None:
            start = self._followed(stop, 1.0 / FOLLOWED)
        if open_y and start is not None and not open_x:
            stop = self._followed(start, FOLLOWED)
        if start is None or stop is None:
            return least if least.status != "solved" else most
        return start, stop

    def _followed(self, end: Point, factor: float) -> Point | None:
        """The point so many times further along from an end; of a date by the time from the beginning."""
        begin = self.by_x.definitions.get(q.START)
        begin_at = begin.expr.value if begin is not None and isinstance(begin.expr, Num) else math.nan
        zero = 0.0 if self.x.is_figure else begin_at
        factor = factor if self.x.sense == "minimize" else 1.0 / factor
        level = zero + (end.x.value - zero) * factor
        return self.point(self.best_y(level)) if level > zero else None

    # ---- between the ends

    def between(self, ends: tuple[Point, Point], count: int) -> list[Point]:
        """About so many points, the ends among them, in order.

        Between two neighbours a level of the quantity in which they are further apart is set halfway.
        """
        start, stop = ends
        scales = _Scale(start.x, stop.x), _Scale(start.y, stop.y)
        if not all(scale.width for scale in scales):
            return [stop]
        gaps = [_Gap((0.0, 0.0), (1.0, 1.0))]
        points = {(0.0, 0.0): start, (1.0, 1.0): stop}
        for _ in range(TRIES * count):
            gap = max(gaps, key=lambda gap: max(gap.width), default=None)
            if gap is None or len(points) >= count or max(gap.width) < ALIKE:
                break
            gaps.remove(gap)
            side = 0 if gap.width[0] >= gap.width[1] else 1
            middle = (gap.low[side] + gap.high[side]) / 2
            solution = (self.best_y, self.best_x)[side](scales[side].value(middle))
            found = self.point(solution) if solution.status == "solved" else None
            if found is None:
                self.missed += 1
                continue
            at = scales[0].share(found.x.value), scales[1].share(found.y.value)
            gaps += gap.split(side, middle, at)
            if not any(math.dist(at, other) < ALIKE for other in points):
                points[at] = found
        return [points[at] for at in sorted(points)]


def _solved(problem: Problem) -> Solution:
    solution = solve(problem)
    verify(solution)
    return solution


def _is_open(solution: Solution) -> bool:
    """Whether what is wanted of a problem gets better without end."""
    return reached(solution.problem).found.outcome == "unbounded"


@dataclass(frozen=True, slots=True)
class _Scale:
    """A quantity along the curve as a share of the way: 0 at its first end, 1 at its last; of figures by logarithms."""

    start: Value
    stop: Value

    @property
    def _is_logarithmic(self) -> bool:
        return min(self.start.value, self.stop.value) > 0 and self.start.dim != DATE

    def _at(self, value: float) -> float:
        return math.log(value) if self._is_logarithmic else value

    @property
    def width(self) -> float:
        """From end to end; 0 where the ends are one."""
        ends = self._at(self.start.value), self._at(self.stop.value)
        return 0.0 if math.isclose(*ends, rel_tol=ALIKE, abs_tol=ALIKE) else ends[1] - ends[0]

    def share(self, value: float) -> float:
        """How far along a value is."""
        return (self._at(value) - self._at(self.start.value)) / self.width

    def value(self, share: float) -> float:
        """The value that is so far along."""
        at = self._at(self.start.value) + share * self.width
        return math.exp(at) if self._is_logarithmic else at


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where the curve is not known yet: from and to which shares of the two quantities."""

    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def width(self) -> tuple[float, float]:
        """How far apart its ends are in each."""
        return self.high[0] - self.low[0], self.high[1] - self.low[1]

    def split(self, side: int, level: float, at: tuple[float, float]) -> tuple[_Gap, _Gap]:
        """The gaps that a point leaves which is the best at a level of one quantity: from the point to the level is
        nothing of the curve."""
        if side == 0:
            return _Gap(self.low, at), _Gap((level, at[1]), self.high)
        return _Gap(self.low, (at[0], level)), _Gap(at, self.high)
