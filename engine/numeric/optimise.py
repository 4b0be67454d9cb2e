"""Smooth, mostly convex problems in a few logarithms to their minimiser, its multipliers and an outcome.

1. `_feasible_start` leads to a feasible point: the largest violation t is minimised over (x, t). For convex
   constraints, and monotone transforms of them, a stationary point with t > 0 proves that there is none.
2. `_one_goal` minimises one goal, by `descent`.
3. `_held` finds the directions in which a goal still changes at its minimum; later goals keep out of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runplan.engine.numeric.algebra import Frame, Matrix, Vector, dot, pivoted, size_of, times
from runplan.engine.numeric.descent import FAR, INFEASIBLE, MATTERS, Descent, descend
from runplan.engine.numeric.local import (
    Elastic,
    Goal,
    Local,
    Point,
    Smooth,
    lagrangian,
    limits_at,
    linear,
    residual_of,
    value_at,
)
from runplan.engine.numeric.quadratic import FEASIBLE

Outcome = Literal["optimal", "infeasible", "unbounded", "gave-up"]


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a problem has its minimum, or how it has none.

    Attributes:
        x: The point (k); the best one found where the outcome is not `optimal`.
        value: The first goal at `x`.
        multipliers: One for each inequality, >= 0: how fast the first goal falls as that limit is loosened.
            Of several inequalities that say the same, one carries the multiplier.
        active: The inequalities that bind at `x` to 1e-9, with or without a multiplier.
        binding: Those whose multiplier matters (> 1e-9 of the gradient of the first goal).
        outcome: `infeasible` and `unbounded` hold for convex problems within |x| <= 1e3; `unbounded` may
            also be a later goal's. `gave-up` proves nothing.
        violation: max(c_i, |e_j|, 0) at `x`.
        iterations: Quadratic programs solved.
    """

    x: Point
    value: float
    multipliers: tuple[float, ...]
    active: tuple[int, ...]
    binding: tuple[int, ...]
    outcome: Outcome
    violation: float
    iterations: int


def minimise(
    goals: Sequence[Smooth],
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth] = (),
    *,
    start: Point,
    max_steps: int = 200,
) -> Optimum:
    """Minimise the first goal under c_i(x) <= 0 and e_j(x) = 0; among its minimisers the second; and so on.

    Args:
        goals: Convex, or increasing functions of convex ones. Without any, a feasible point is looked for.
        inequalities: As the goals; a limit c_i is met when c_i <= 1e-9.
        equalities: Linear, for the outcome to be a proof.
        start: A point (k), feasible or not, k >= 0.
        max_steps: Quadratic programs to solve for each goal, and for feasibility, before it gives up.

    Returns:
        The optimum; never raises for functions that overflow, nor for problems without a solution.
    """
    n = len(start)
    goals = goals or (linear([0.0] * n, 0.0),)
    if n == 0:
        return _report(goals[0], inequalities, equalities, [], [0.0] * len(inequalities), None, 0)
    x, steps, slack, known = _usable(goals, inequalities, equalities, start), 0, 0.0, True
    x, least, used, known = _feasible_start(x, inequalities, equalities, max_steps)
    steps += used
    none = [0.0] * len(inequalities)
    if least > INFEASIBLE:
        return _report(goals[0], inequalities, equalities, x, none, "infeasible" if known else "gave-up", steps)
    slack = least if least > 1e-11 else 0.0

    held: Matrix = []
    multipliers = none
    outcome: Outcome = "optimal"
    reached: list[tuple[Smooth, float, float]] = []
    for level, goal in enumerate(goals):
        fixed: list[Smooth] = [linear(row, -dot(row, x)) for row in held]
        end, used = _one_goal(goal, inequalities, [*equalities, *fixed], x, slack, max_steps)
        steps += used
        if end is not None and _spoils(reached, end.here.x):
            # flatness was not exact: hold the earlier goals by their values, a hair loose
            guards = [_Guard(g, f + 1e-10 * scale, scale) for g, f, scale in reached]
            end, used = _one_goal(goal, [*inequalities, *guards], [*equalities, *fixed], x, slack, max_steps)
            steps += used
            if end is not None:
                del end.here.c[len(inequalities) :], end.here.c_rows[len(inequalities) :]
                del end.here.c_curves[len(inequalities) :], end.c_multipliers[len(inequalities) :]
        if end is None:
            outcome = "gave-up"
            break
        x = end.here.x
        found = value_at(goal, tuple(x))
        size = 1.0
        if found is not None:
            size = (size_of(found[1]) / (size_of(end.here.gradient) or 1.0)) if size_of(end.here.gradient) else 1.0
            # the value may be zero, and the gradient too; the curvature tells then what a small step is worth
            scale = abs(found[0]) + size_of(found[1]) + max(map(size_of, found[2]))
            reached.append((goal, found[0], scale or 1.0))
        if level == 0:
            multipliers = [a * size for a in end.c_multipliers]
        if end.outcome != "optimal":
            outcome = "unbounded" if end.outcome == "unbounded" else "gave-up"
            break
        if level + 1 < len(goals):
            held = _held(end.here, end.c_multipliers, end.e_multipliers, held)
            if len(held) == n:
                break
    return _report(goals[0], inequalities, equalities, x, multipliers, outcome, steps)


def _feasible_start(
    x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], budget: int
) -> tuple[Vector, float, int, bool]:
    """A point of least violation, that violation, the steps taken, and whether it is proven."""
    elastic = Elastic(inequalities, equalities)
    here = elastic([*x, 0.0])
    if here is None:
        return x, math.inf, 0, False
    if here.x[-1] <= 1e-11:
        return x, here.x[-1], 0, True
    end = descend(elastic, here, damping=1e-3, budget=budget, enough=1e-11)
    found = end.here.x
    return found[:-1], found[-1], end.steps, end.outcome in ("optimal", "unbounded", "enough")


def _usable(
    goals: Sequence[Smooth], inequalities: Sequence[Smooth], equalities: Sequence[Smooth], start: Point
) -> Vector:
    """The start, or a point nearer to the origin where functions have values."""
    x = [max(-FAR, min(FAR, a)) if math.isfinite(a) else 0.0 for a in start]
    for _ in range(12):
        if all(value_at(f, tuple(x)) is not None for f in (goals[0], *inequalities, *equalities)):
            return x
        x = [0.5 * a for a in x]
    return [0.0] * len(x)


def _one_goal(
    goal: Smooth,
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth],
    x: Vector,
    slack: float,
    budget: int,
) -> tuple[Descent | None, int]:
    """One goal minimised from a feasible point, restoring feasibility where a step lost it; and the steps."""
    steps = 0
    end: Descent | None = None
    for _ in range(8):
        at = Goal(goal, inequalities, equalities, slack)
        here = at(x)
        if here is None:
            at.in_logs = False
            here = at(x)
        if here is None:
            return end, steps
        end = descend(at, here, damping=0.1, budget=budget)
        steps += end.steps
        if end.outcome == "stalled" and end.here.violation <= FEASIBLE and _stationary(end):
            end.outcome = "optimal"
        if end.outcome != "inconsistent":
            return end, steps
        x, least, used, _ = _feasible_start(end.here.x, inequalities, equalities, budget)
        steps += used
        slack = max(slack, least if 1e-11 < least <= INFEASIBLE else 0.0)
    return end, steps


def _stationary(end: Descent) -> bool:
    """Whether the optimality conditions hold to what arithmetic allowed, where no more could be gained."""
    residual, terms = residual_of(end.here, end.c_multipliers, end.e_multipliers)
    diagonal = lagrangian(end.here, end.c_multipliers, end.e_multipliers)[2]
    loose = [a * -b for a, b in zip(end.c_multipliers, end.here.c, strict=True) if a > 0.0]
    whole = max(map(sum, zip(terms, diagonal, strict=True)), default=0.0)
    return max(loose, default=0.0) <= 1e-6 * whole and all(
        abs(r) <= 1e-6 * (term + curve) for r, term, curve in zip(residual, terms, diagonal, strict=True)
    )


def _spoils(reached: list[tuple[Smooth, float, float]], x: Vector) -> bool:
    for goal, value, scale in reached:
        found = value_at(goal, tuple(x))
        if found is None or found[0] > value + 1e-9 * scale:
            return True
    return False


def _held(here: Local, c_multipliers: Vector, e_multipliers: Vector, fixed: Matrix) -> Matrix:
    """Orthonormal rows across the directions in which an optimum may move and stay one.

    At the minimum of a convex analytic goal those are where every constraint with a multiplier stays as it is
    and the Lagrangian has no curvature; and there they are straight lines, not just to second order.
    """
    n = len(here.x)
    h, spread, diagonal = lagrangian(here, c_multipliers, e_multipliers)
    _, terms = residual_of(here, c_multipliers, e_multipliers)
    floor = 1e-15 * max(size_of(here.gradient), 1e-3 * max(diagonal))
    frame = Frame()
    for row in fixed:
        frame.add(row, 1e-9)
    for weights, rows in ((e_multipliers, here.e_rows), (c_multipliers, here.c_rows)):
        for weight, row in zip(weights, rows, strict=True):
            force = [abs(weight * a) for a in row]
            if size_of(force) > floor and any(a > 1e-10 * b for a, b in zip(force, terms, strict=True)):
                frame.add(row, 1e-9)
    free = frame.complement(n)
    if free:
        reduced = [[dot(z, hz) for hz in [times(h, w) for w in free]] for z in free]
        scale = [dot(z, times(spread, z)) for z in [[abs(a) for a in z] for z in free]]
        for column in pivoted(reduced, scale)[1]:
            row = [0.0] * n
            for weight, z in zip(column, free, strict=True):
                row = [a + weight * b for a, b in zip(row, z, strict=True)]
            frame.add(row, 1e-9)
    return frame.q


@dataclass(frozen=True, slots=True)
class _Guard:
    """goal <= worst, in units of `scale`."""

    goal: Smooth
    worst: float
    scale: float

    def __call__(self, x: Point) -> tuple[float, Vector, Matrix]:
        f, g, h = self.goal(x)
        return (
            (f - self.worst) / self.scale,
            [a / self.scale for a in g],
            [[a / self.scale for a in r] for r in h],
        )


def _report(
    goal: Smooth,
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth],
    x: Vector,
    multipliers: Vector,
    outcome: Outcome | None,
    steps: int,
) -> Optimum:
    point = tuple(x)
    found = value_at(goal, point)
    limits = limits_at(x, inequalities, equalities, 0.0)
    if limits is None or found is None:
        return Optimum(point, math.nan, tuple(multipliers), (), (), outcome or "gave-up", math.inf, steps)
    c, c_rows, violation = limits[0], limits[1], limits[6]
    f, g, h = found
    least = MATTERS * max(size_of(g), 1e-4 * max((abs(row[i]) for i, row in enumerate(h)), default=0.0))
    active = tuple(i for i, a in enumerate(c) if abs(a) <= FEASIBLE)
    binding = tuple(i for i, a in enumerate(multipliers) if a * size_of(c_rows[i]) > least and a > 0.0)
    if outcome == "optimal" and violation > 1.01 * FEASIBLE:
        outcome = "gave-up"  # nothing better is in reach of the arithmetic, and nothing is proven
    if outcome is None:
        outcome = "optimal" if violation <= FEASIBLE else "infeasible"
    return Optimum(point, f, tuple(multipliers), active, binding, outcome, violation, steps)
