"""Smooth, mostly convex problems in a few logarithms to their minimiser, its multipliers and an outcome.

1. `phase_one` leads to a feasible point: the largest violation t is minimised over (x, t). For convex constraints,
   and monotone transforms of them, a stationary point with t > 0 proves that there is none.
2. `_Levels` minimises one objective after the other, each by `descent`, among the minimisers of those before.
3. `face` finds where an objective stays at its minimum; later objectives keep to that.

Why this and no library: docs/design/0001-own-optimiser.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.types import Literal
from runplan.engine.numeric.algebra import Matrix, Vector, dot, size_of
from runplan.engine.numeric.descent import INFEASIBLE, MATTERS, Descent, minimised
from runplan.engine.numeric.face import Face, face, pressing
from runplan.engine.numeric.local import (
    Objective,
    Point,
    Smooth,
    lagrangian,
    limits_at,
    linear,
    residual_of,
    value_at,
)
from runplan.engine.numeric.phase_one import ROUNDING, Certificate, certified, phase_one
from runplan.engine.numeric.quadratic import FEASIBLE
from runplan.engine.numeric.single import single
from runplan.engine.numeric.subproblem import FAR

Outcome = Literal["optimal", "infeasible", "unbounded", "gave-up"]

# Halvings of a start at which functions have no value: from |x| = 1e3 to 1/4, where all of planning has one.
HALVINGS = 12
# Feasibility is restored, and the objective taken up again, this often; each time the slack may have grown.
RESTORATIONS = 8
# What forces may be off where a run stalled but is taken for an optimum: the square root of the 1e-12 to which
# values are known when a run stalls because they no longer change.
STALLED = 1e-6
# An earlier objective may rise by this share of its scale while a later one is minimised; where it does not keep to
# that by itself, it is held by its value, a tenth of that loose.
SPOILED, LOOSE = 1e-9, 1e-10
# A later objective whose slope and curvature are below this share of its value is constant but for rounding.
CONSTANT = 1e-13
# Binding counts relative to the gradient of the objective, or to this share of its curvature at a minimum inside.
CURVED = 1e-4


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a problem has its minimum, or how it has none.

    Attributes:
        x: The point (k); the best one found where the outcome is not `optimal`.
        value: The first objective at `x`.
        multipliers: One for each inequality, >= 0: how fast the first objective falls as that limit is loosened.
            Of several inequalities that say the same, one carries the multiplier.
        active: The inequalities that bind at `x` to 1e-9, with or without a multiplier.
        binding: Those whose multiplier matters (> 1e-9 of the gradient of the first objective).
        outcome: `infeasible` and `unbounded` hold for convex problems within |x| <= 1e3; `unbounded` may
            also be a later objective's. `gave-up` proves nothing.
        violation: max(c_i, |e_j|, 0) at `x`.
        iterations: Quadratic programs solved.
        certificate: Where the outcome is `infeasible`, why: which constraints cannot hold together.
        held: For each objective that had something to decide, the inequalities that have a multiplier of it.
        everywhere: Whether all that the limits leave was looked over, so that another start would end here, too.
    """

    x: Point
    value: float
    multipliers: tuple[float, ...]
    active: tuple[int, ...]
    binding: tuple[int, ...]
    outcome: Outcome
    violation: float
    iterations: int
    certificate: Certificate | None = None
    held: tuple[frozenset[int], ...] = ()
    everywhere: bool = False


def minimise(
    objectives: Sequence[Smooth],
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth] = (),
    *,
    start: Point,
    max_steps: int = 200,
    nearby: bool = False,
) -> Optimum:
    """Minimise the first objective under c_i(x) <= 0 and e_j(x) = 0; among its minimisers the second; and so on.

    Args:
        objectives: Convex, or increasing functions of convex ones. Without any, a feasible point is looked for.
        inequalities: As the objectives; a limit c_i is met when c_i <= 1e-9.
        equalities: Linear, for the outcome to be a proof.
        start: A point (k), feasible or not, k >= 0.
        max_steps: Quadratic programs to solve for each objective, and for feasibility, before it gives up.
        nearby: Whether the start is the minimiser of a problem like it, so that no other valley is looked for.

    Returns:
        The optimum; never raises for functions that overflow, nor for problems without a solution.
    """
    objectives = objectives or (linear([0.0] * len(start), 0.0),)
    problem = _Problem(objectives[0], inequalities, equalities)
    if not start:
        return _without_variables(problem)
    if len(start) == 1 and (alone := single(objectives, inequalities, equalities, start, nearby=nearby)):
        found = _report(problem, [alone.x], list(alone.multipliers), "optimal", 0)
        return replace(found, held=alone.held, everywhere=not nearby)
    first = phase_one(_usable(problem, start), inequalities, equalities, max_steps)
    if first.violation > INFEASIBLE:
        outcome: Outcome = "infeasible" if first.proven else "gave-up"
        return _report(problem, first.x, None, outcome, first.steps, first.certificate)
    slack = first.violation if first.violation > ROUNDING else 0.0
    levels = _Levels(problem, first.x, slack, max_steps)
    for objective in objectives:
        if not levels.minimise(objective):
            break
    found = _report(problem, levels.x, levels.multipliers, levels.outcome, first.steps + levels.steps)
    return replace(found, held=tuple(levels.held))


@dataclass(frozen=True, slots=True)
class _Problem:
    """The first objective and the constraints."""

    objective: Smooth
    inequalities: Sequence[Smooth]
    equalities: Sequence[Smooth]


def _usable(problem: _Problem, start: Point) -> Vector:
    """The start, or a point nearer to the origin where functions have values."""
    x = [max(-FAR, min(FAR, a)) if math.isfinite(a) else 0.0 for a in start]
    functions = (problem.objective, *problem.inequalities, *problem.equalities)
    for _ in range(HALVINGS):
        if all(value_at(f, tuple(x)) is not None for f in functions):
            return x
        x = [0.5 * a for a in x]
    return [0.0] * len(x)


@dataclass(frozen=True, slots=True)
class _Reached:
    """An objective, its minimum, and what a change of it is measured by."""

    objective: Smooth
    value: float
    scale: float

    def spoiled_at(self, x: Vector) -> bool:
        """Whether the objective is worse at a point (k) than its minimum."""
        found = value_at(self.objective, tuple(x))
        return found is None or found[0] > self.value + SPOILED * self.scale

    def __call__(self, x: Point) -> tuple[float, Vector, Matrix]:
        """As a constraint: no worse than the minimum, a hair loose, in units of the scale."""
        f, g, h = self.objective(x)
        worst = self.value + LOOSE * self.scale
        return (
            (f - worst) / self.scale,
            [a / self.scale for a in g],
            [[a / self.scale for a in row] for row in h],
        )


class _Levels:
    """Objectives in order: where those minimised so far have led, and what the next one must keep to.

    Attributes:
        x: The minimiser (k) so far.
        end: Where the last objective came to rest.
        face: Where the objectives before the last stay minimal; `faced` where the last one does, too.
        multipliers: Those of the inequalities for the first objective.
        reached: The objectives minimised so far.
        held: For each of them, the inequalities that have a multiplier of it.
    """

    def __init__(self, problem: _Problem, x: Vector, slack: float, budget: int) -> None:
        self.problem = problem
        self.x = x
        self.slack = slack
        self.budget = budget
        self.end: Descent | None = None
        self.face, self.faced = Face(), False
        self.multipliers: Vector | None = None
        self.outcome: Outcome = "optimal"
        self.reached: list[_Reached] = []
        self.held: list[frozenset[int]] = []
        self.steps = 0

    def minimise(self, objective: Smooth) -> bool:
        """Minimise the next objective; False where that failed, or where those before leave nothing to decide."""
        if self.end is not None:
            if not self.faced:
                self.face, self.faced = face(self.end, self.face), True
            if self.face.rank >= len(self.x):
                return False
            if self._is_constant(objective):
                self.held.append(frozenset())
                return True
        end = self.end = self._within_face(objective)
        if end is None:
            self.outcome = "gave-up"
            return False
        self.x, self.faced = end.here.x, False
        self.held.append(pressing(end))
        found = value_at(objective, tuple(self.x))
        if self.multipliers is None:
            self.multipliers = _in_units_of(found, end)
        if found is not None:
            # the value may be zero, and the gradient too; the curvature tells then what a small step is worth
            scale = abs(found[0]) + size_of(found[1]) + max(map(size_of, found[2]))
            self.reached.append(_Reached(objective, found[0], scale or 1.0))
        if end.outcome != "optimal":
            self.outcome = "unbounded" if end.outcome == "unbounded" else "gave-up"
        return end.outcome == "optimal"

    def _is_constant(self, objective: Smooth) -> bool:
        """Whether an objective has nothing to decide: a descent would follow the rounding of its slope."""
        found = value_at(objective, tuple(self.x))
        if found is None:
            return False
        f, g, h = found
        return max(size_of(g), *map(size_of, h)) <= CONSTANT * abs(f)

    def _within_face(self, objective: Smooth) -> Descent | None:
        inequalities = self.problem.inequalities
        fixed = [linear(row, -dot(row, self.x)) for row in self.face.rows]
        equalities = [*self.problem.equalities, *fixed, *(inequalities[i] for i in sorted(self.face.bent))]
        end = self._descend(objective, inequalities, equalities)
        if end is None or not any(earlier.spoiled_at(end.here.x) for earlier in self.reached):
            return end
        # flatness was not exact: hold the earlier objectives by their values
        end = self._descend(objective, [*inequalities, *self.reached], equalities)
        return None if end is None else _without_rows(end, len(inequalities))

    def _descend(
        self, objective: Smooth, inequalities: Sequence[Smooth], equalities: Sequence[Smooth]
    ) -> Descent | None:
        """One objective from the point so far, restoring feasibility where a step lost it."""
        x, slack = self.x, self.slack
        end: Descent | None = None
        for _ in range(RESTORATIONS):
            at = Objective(objective, inequalities, equalities, slack)
            here = at(x)
            if here is None:
                at.in_logs = False
                here = at(x)
            if here is None:
                return end
            end = minimised(at, here, self.budget)
            self.steps += end.steps
            if end.outcome == "stalled" and end.here.violation <= FEASIBLE and _stationary(end):
                end.outcome = "optimal"
            if end.outcome != "inconsistent":
                return end
            restored = phase_one(end.here.x, inequalities, equalities, self.budget)
            self.steps += restored.steps
            x = restored.x
            slack = max(slack, restored.violation if ROUNDING < restored.violation <= INFEASIBLE else 0.0)
        return end


def _in_units_of(found: tuple[float, Vector, Matrix] | None, end: Descent) -> Vector:
    """Multipliers of the form of an objective that was minimised as those of its value (`found`, at the end)."""
    size = 1.0
    if found is not None and size_of(end.here.gradient):
        size = size_of(found[1]) / size_of(end.here.gradient)
    return [a * size for a in end.c_multipliers]


def _without_rows(end: Descent, m: int) -> Descent:
    """An end as if only the first m inequalities had been there."""
    here = end.here
    del here.c[m:], here.c_rows[m:], here.c_curves[m:], end.c_multipliers[m:]
    return end


def _stationary(end: Descent) -> bool:
    """Whether the optimality conditions hold to what arithmetic allowed, where no more could be gained."""
    residual, terms = residual_of(end.here, end.c_multipliers, end.e_multipliers)
    diagonal = lagrangian(end.here, end.c_multipliers, end.e_multipliers)[2]
    loose = [a * -b for a, b in zip(end.c_multipliers, end.here.c, strict=True) if a > 0.0]
    whole = max(map(sum, zip(terms, diagonal, strict=True)), default=0.0)
    return max(loose, default=0.0) <= STALLED * whole and all(
        abs(r) <= STALLED * (term + curve) for r, term, curve in zip(residual, terms, diagonal, strict=True)
    )


def _without_variables(problem: _Problem) -> Optimum:
    """Constants that hold or do not; the worst of those that do not is a conflict by itself."""
    limits = limits_at([], problem.inequalities, problem.equalities, 0.0)
    if limits is None or value_at(problem.objective, ()) is None:
        return _report(problem, [], None, "gave-up", 0)
    c, _, _, e, _, _, violation = limits
    if violation <= FEASIBLE:
        return _report(problem, [], None, "optimal", 0)
    worst = [*c, *map(abs, e)].index(violation)
    weights = [float(i == worst) for i in range(len(c) + len(e))]
    z = [math.copysign(weight, off) for weight, off in zip(weights[len(c) :], e, strict=True)]
    certificate = certified([], problem.inequalities, problem.equalities, weights[: len(c)], z)
    return _report(problem, [], None, "infeasible", 0, certificate)


def _report(
    problem: _Problem,
    x: Vector,
    multipliers: Vector | None,
    outcome: Outcome,
    steps: int,
    certificate: Certificate | None = None,
) -> Optimum:
    """What was found, measured once more in the plain functions."""
    point = tuple(x)
    weights = tuple(multipliers or [0.0] * len(problem.inequalities))
    found = value_at(problem.objective, point)
    limits = limits_at(x, problem.inequalities, problem.equalities, 0.0)
    if limits is None or found is None:
        return Optimum(point, math.nan, weights, (), (), outcome, math.inf, steps, certificate)
    c, c_rows, _, _, _, _, violation = limits
    f, g, h = found
    least = MATTERS * max(size_of(g), CURVED * max((abs(row[i]) for i, row in enumerate(h)), default=0.0))
    active = tuple(i for i, a in enumerate(c) if abs(a) <= FEASIBLE)
    binding = tuple(i for i, a in enumerate(weights) if a * size_of(c_rows[i]) > least and a > 0.0)
    if outcome == "optimal" and violation > 1.01 * FEASIBLE:
        outcome = "gave-up"  # nothing better is in reach of the arithmetic, and nothing is proven
    return Optimum(point, f, weights, active, binding, outcome, violation, steps, certificate)
