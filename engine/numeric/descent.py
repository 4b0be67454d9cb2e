"""One goal, from a point, to where it comes to rest: sequential quadratic programming with exact second derivatives.

1. Each step is a convex quadratic program; damping as in Levenberg and Marquardt stands in for a trust region.
2. `_polish` finishes with undamped Newton steps on the optimality conditions of the active set, so that
   results are as accurate as the functions and not as their square roots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from runplan.engine.numeric.algebra import Frame, Matrix, Vector, cholesky, dot, size_of, solve_flat, times
from runplan.engine.numeric.local import STEEP, At, Elastic, Goal, Local, lagrangian, residual_of
from runplan.engine.numeric.quadratic import FEASIBLE, Step, quadratic

INFEASIBLE = 1e-7  # a least violation above this is a proof, below it is arithmetic
FAR = 1e3  # no logarithm of a physical quantity is beyond this
VANISHED = -640.0  # the logarithm of a positive goal that has run down to nothing
FAINT = 1e-12  # a force below this, relative to the largest, may stay unbalanced
BENT = 1e-2  # violations up to this, on the way, are put down to curvature
MATTERS = 1e-9  # a multiplier below this, relative to the gradient of the goal, is not binding


@dataclass(slots=True)
class Descent:
    """Where minimising one goal came to rest, and how."""

    here: Local
    c_multipliers: Vector
    e_multipliers: Vector
    outcome: Literal["optimal", "unbounded", "inconsistent", "stalled", "enough"]
    steps: int


def descend(at: At, here: Local, *, damping: float, budget: int, enough: float = -math.inf) -> Descent:
    """Minimise from a point; `enough` ends it early, once the goal is no more than that."""
    n = len(here.x)
    c_multipliers, e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
    first = here
    prices, steps = _Prices([0.0] * len(here.c), [0.0] * len(here.e), 0.0), 0
    damping *= size_of(here.gradient)
    rays = ends = spoiled = 0
    proven, ballast = False, 1e-8
    while steps < budget and here.value > enough:
        steps += 1
        if isinstance(at, Goal) and not at.suits(here):
            again = at(here.x)
            if again is None:
                break
            factor = size_of(again.gradient) / (size_of(here.gradient) or 1.0)
            here, damping = again, damping * factor
            prices.scale(factor)
            c_multipliers, e_multipliers = (
                [a * factor for a in c_multipliers],
                [a * factor for a in e_multipliers],
            )
        if isinstance(at, Goal) and at.in_logs and here.value < VANISHED and here.violation <= FEASIBLE:
            return Descent(here, c_multipliers, e_multipliers, "unbounded", steps)
        h, _, diagonal = lagrangian(here, c_multipliers, e_multipliers)
        idle = 1e-6 * here.value if isinstance(at, Elastic) else math.inf
        left, _ = residual_of(here, c_multipliers, e_multipliers)
        lower = _factor(h, diagonal, here.gradient, left, damping, ballast, idle)
        step = _bounded(here, lower, here.c, here.e)
        if step is None:
            return Descent(here, c_multipliers, e_multipliers, "inconsistent", steps)
        m = len(here.c)
        size = size_of(step.d)
        if isinstance(at, Elastic):
            proven = _least_violation(here, step.c_multipliers[:m]) > INFEASIBLE
            if proven and -step.d[-1] <= 1e-3 * here.x[-1] and size > 1e-6:
                break  # what is left to gain lies far away, such as the limit of a falling exponential
        settled = size <= 1e-6 and here.violation <= 1e-6
        if isinstance(at, Elastic) and -step.d[-1] > 1e-3 * here.x[-1]:
            settled = False  # the violation still goes to nothing
        if settled:
            fence = step.c_multipliers[m:]
            _, terms = residual_of(here, step.c_multipliers[:m], step.e_multipliers)
            if any(weight > MATTERS * terms[i % n] for i, weight in enumerate(fence)):
                return Descent(here, step.c_multipliers[:m], step.e_multipliers, "unbounded", steps)
            working = [i for i in step.working if i < m]
            end = _polish(at, here, working, step.c_multipliers[:m], step.e_multipliers, 0.0)
            if end is None and rays > n:
                end = _polish(at, here, working, step.c_multipliers[:m], step.e_multipliers, FAINT)
            if end is not None:
                end.steps = steps
                if any(
                    g == 0.0 and curve == 0.0 and was != 0.0 and abs(a - b) > 100.0
                    for g, curve, was, a, b in zip(
                        end.here.gradient, end.here.spread, first.gradient, end.here.x, first.x, strict=True
                    )
                ):
                    end.outcome = "unbounded"  # the goal has died away along a coordinate
                return end
            fresh = step.c_multipliers[:m] == c_multipliers and step.e_multipliers == e_multipliers
            c_multipliers, e_multipliers = step.c_multipliers[:m], step.e_multipliers
            if ends < 2 and not fresh:
                ends += 1  # the curvature was that of other multipliers
                continue
            if ballast > 1e-9 and isinstance(at, Goal):  # a force may be faint beside others that balance
                ballast, damping = 1e-2 * ballast, 1e-2 * damping
                continue
            if rays <= n and isinstance(at, Goal):
                rays += 1
                beyond = _ray(at, here, step.c_multipliers[:m], step.e_multipliers)
                if beyond is not None:
                    here = beyond
                    if size_of(here.x) >= FAR:
                        return Descent(here, step.c_multipliers[:m], step.e_multipliers, "unbounded", steps)
                else:
                    rays = n + 1
                continue
            if size <= 1e-13:
                break
        new_c, new_e = step.c_multipliers[:m], step.e_multipliers
        prices.follow(new_c, new_e)
        there = at([a + b for a, b in zip(here.x, step.d, strict=True)])
        ratio = -1.0 if there is None else _ratio(here, there, h, step.d, prices)
        if ratio < 0.1 and there is not None and there.violation > max(here.violation, 1e-10):
            # curvature of the constraints may spoil a good step: aim at them as they are over there
            shifted_c = [a - dot(row, step.d) for a, row in zip(there.c, here.c_rows, strict=True)]
            shifted_e = [a - dot(row, step.d) for a, row in zip(there.e, here.e_rows, strict=True)]
            second = _bounded(here, lower, shifted_c, shifted_e)
            if second is not None:
                corrected = at([a + b for a, b in zip(here.x, second.d, strict=True)])
                if corrected is not None:
                    better = _ratio(here, corrected, h, second.d, prices, step.d)
                    if better > ratio:
                        there, ratio, step.d = corrected, better, second.d
        if there is None or ratio < 1e-4:
            length = dot(step.d, step.d) or 1e-300
            bend = 0.5 * dot(step.d, times(h, step.d)) / length
            pull = 0.1 * abs(dot(here.gradient, step.d)) / length
            damping = max(8.0 * damping, bend, pull)
            if size <= 1e-14 or not damping < 1e280:
                break
            spoiled += 1
            if spoiled > 4 and here.violation > FEASIBLE:  # damping does not shorten the way back
                return Descent(here, c_multipliers, e_multipliers, "inconsistent", steps)
            continue
        ends = spoiled = 0
        if ratio > 0.7:
            damping *= 0.1
        elif ratio < 0.25:
            damping *= 4.0
        c_multipliers, e_multipliers = new_c, new_e
        here = there if isinstance(at, Elastic) else _stride(at, here, there, step.d)
        damping = min(damping, here.value if isinstance(at, Elastic) else size_of(here.gradient))
    end = Descent(here, c_multipliers, e_multipliers, "enough" if here.value <= enough else "stalled", steps)
    ran = max((abs(a - b) for a, b in zip(here.x, first.x, strict=True)), default=0.0)
    if proven and end.outcome == "stalled":
        end.outcome = "optimal"
    died = size_of(here.gradient) + max(here.spread) <= 1e-20 * size_of(first.gradient)
    if isinstance(at, Goal) and ran > 100.0 and here.violation <= FEASIBLE and died:
        end.outcome = "unbounded"  # all that is left of the goal is a constant that it never reaches
    return end


def _polish(
    at: At, here: Local, working: list[int], c_multipliers: Vector, e_multipliers: Vector, faint: float
) -> Descent | None:
    """Newton's method on the optimality conditions with `working` held; None unless it ends at an optimum.

    Steps avoid the directions in which nothing changes to second order, and those in which the force is less
    than `faint` of the largest.
    """
    n, last = len(here.x), math.inf
    for _ in range(12):
        h, spread, _diagonal = lagrangian(here, c_multipliers, e_multipliers)
        frame = Frame()
        kept: list[tuple[bool, int]] = []
        values: Vector = []
        for equal, i in [(True, i) for i in range(len(here.e))] + [(False, i) for i in working]:
            if frame.add(here.e_rows[i] if equal else here.c_rows[i], 1e-10):
                kept.append((equal, i))
                values.append(-(here.e[i] if equal else here.c[i]))
        d = frame.reach(values, n)
        free = frame.complement(n)
        if free:
            toward = [-(a + b) for a, b in zip(here.gradient, times(h, d), strict=True)]
            reduced = [[dot(z, hz) for hz in [times(h, w) for w in free]] for z in free]
            scale = [dot(z, times(spread, z)) for z in [[abs(a) for a in z] for z in free]]
            right = [dot(z, toward) for z in free]
            if faint:
                least = faint * size_of(residual_of(here, c_multipliers, e_multipliers)[1])
                right = [a if abs(a) > least else 0.0 for a in right]
            for z, weight in zip(free, solve_flat(reduced, scale, right), strict=True):
                d = [a + weight * b for a, b in zip(d, z, strict=True)]
        size = size_of(d)
        if not size <= 1e-3:
            return None
        force = [-(a + b) for a, b in zip(here.gradient, times(h, d), strict=True)]
        weights = frame.combine([dot(q, force) for q in frame.q])
        c_multipliers, e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
        for (equal, i), weight in zip(kept, weights, strict=True):
            (e_multipliers if equal else c_multipliers)[i] = weight
        if size >= 0.5 * last and size < 1e-8:
            break  # only rounding is left
        there = at([a + b for a, b in zip(here.x, d, strict=True)])
        if there is None:
            return None
        here, last = there, size
        if size <= 2e-16 * max(1.0, size_of(here.x)):
            break
    if here.violation > FEASIBLE:
        return None
    diagonal = lagrangian(here, c_multipliers, e_multipliers)[2]
    residual, terms = residual_of(here, c_multipliers, e_multipliers)
    # multipliers are rounded to the largest of them, and spread that to each coordinate that their rows touch
    grain = 1e-14 * (size_of(terms) + max(diagonal))
    held_rows = [here.e_rows[i] if equal else here.c_rows[i] for equal, i in kept]
    allowed = [
        1e-9 * (term + curve) + faint * size_of(terms) + grain * sum(abs(row[i]) for row in held_rows)
        for i, (term, curve) in enumerate(zip(terms, diagonal, strict=True))
    ]
    if any(abs(r) > most for r, most in zip(residual, allowed, strict=True)):
        return None
    for i in working:
        if c_multipliers[i] < 0.0:
            if any(-c_multipliers[i] * abs(a) > most for a, most in zip(here.c_rows[i], allowed, strict=True)):
                return None
            c_multipliers[i] = 0.0
    return Descent(here, c_multipliers, e_multipliers, "optimal", 0)


def _factor(
    h: Matrix, diagonal: Vector, g: Vector, left: Vector, damping: float, ballast: float, idle: float
) -> Matrix:
    """A Cholesky factor of the Hessian, lifted until it is positive definite.

    The lift is by coordinate, because a coordinate whose part in the goal is a billionth of another's must
    still move freely. It keeps the free minimum in proportion: it is a share of the force `left` by the
    multipliers at hand, and a far smaller one, `ballast`, of the whole. Coordinates without a part in the goal
    follow the others, and must not hold back the faintest; `idle` is their largest lift.
    """
    base = max(max(diagonal), 1e-2 * size_of(g), 1e-290)
    parts = [curve + abs(slope) for curve, slope in zip(diagonal, g, strict=True)]
    idle = max(1e-13 * base, min(idle, 1e-3 * min(part for part in [*parts, base] if part > 1e-14 * base)))
    lift: Vector = []
    for curve, slope, force in zip(diagonal, g, left, strict=True):
        if curve + abs(slope) <= 1e-14 * base:
            lift.append(damping + idle)
        else:
            lift.append(damping + max(1e-4 * abs(force) + ballast * abs(slope), 1e-14 * base) + 1e-13 * curve)
    extra = 0.0
    for _ in range(40):
        lifted = [list(row) for row in h]
        for i, more in enumerate(lift):
            lifted[i][i] += more + extra * (diagonal[i] + more)
        lower = cholesky(lifted)
        if lower is not None:
            return lower
        extra = 10.0 * extra or 1e-9
    return [[0.0] * i + [math.sqrt(base)] for i in range(len(g))]


def _least_violation(here: Local, weights: Vector) -> float:
    """A bound from below on the violation in all of |x| <= 1e3, from the multipliers of `Elastic`.

    A convex c_i is nowhere below its tangent, nor the largest below a weighted mean of tangents.
    """
    total, t = sum(weights), here.x[-1]
    if not 0.0 < total < math.inf or t > STEEP:
        return 0.0
    bound = sum(a * (c + t) for a, c in zip(weights, here.c, strict=True))
    for j, x in enumerate(here.x[:-1]):
        slope = sum(a * row[j] for a, row in zip(weights, here.c_rows, strict=True))
        bound -= abs(slope) * (FAR + abs(x))
    return bound / total


def _bounded(here: Local, lower: Matrix, c: Vector, e: Vector) -> Step | None:
    """The quadratic program around a point, fenced in to |x| <= 1e3 by extra rows where it would leave."""
    step = quadratic(here.gradient, lower, e, here.e_rows, c, here.c_rows)
    if step is None or all(abs(a + b) <= FAR for a, b in zip(here.x, step.d, strict=True)):
        return step
    n = len(here.x)
    fence = [[sign * (i == j) for j in range(n)] for sign in (1.0, -1.0) for i in range(n)]
    room = [a - FAR for a in here.x] + [-a - FAR for a in here.x]
    return quadratic(here.gradient, lower, e, here.e_rows, c + room, here.c_rows + fence)


@dataclass(slots=True)
class _Prices:
    """What violations cost while steps are judged: at least twice the multiplier of each constraint.

    One price for the worst of all would stop a faint force from moving along a curved constraint, as soon as
    another constraint has a large multiplier; it is paid only for violations that are more than curvature.
    """

    c: Vector
    e: Vector
    most: float

    def follow(self, c_multipliers: Vector, e_multipliers: Vector) -> None:
        self.c = [max(2.0 * a, 0.5 * b) for a, b in zip(c_multipliers, self.c, strict=True)]
        self.e = [max(2.0 * abs(a), 0.5 * b) for a, b in zip(e_multipliers, self.e, strict=True)]
        self.most = max(2.0 * (sum(c_multipliers) + sum(map(abs, e_multipliers))), 0.5 * self.most)

    def scale(self, factor: float) -> None:
        self.c, self.e = [factor * a for a in self.c], [factor * a for a in self.e]
        self.most *= factor

    def __call__(self, at: Local) -> float:
        total = self.most * max(0.0, at.violation - BENT)
        for price, over in zip(self.c, at.c, strict=True):
            if over > 1e-11:
                total += price * over
        for price, over in zip(self.e, at.e, strict=True):
            if abs(over) > 1e-11:
                total += price * abs(over)
        return total


def _ratio(here: Local, there: Local, h: Matrix, d: Vector, prices: _Prices, planned: Vector | None = None) -> float:
    """What a step gained in goal and priced violations, relative to what the quadratic program promised."""
    fell = here.value - there.value
    if abs(fell) <= 1e-7 * max(abs(here.value), abs(there.value)):
        # a difference of values would be rounding; gradients are good to the last digit
        moved = [b - a for a, b in zip(here.x, there.x, strict=True)]
        fell = -0.5 * (dot(here.gradient, moved) + dot(there.gradient, moved))
    # where it still falls at the end, a quasiconvex goal has fallen, by more than that where it is convex
    fell = max(fell, -dot(there.gradient, [b - a for a, b in zip(here.x, there.x, strict=True)]))
    before, after = prices(here), prices(there)
    along = d if planned is None else planned
    promised = before - dot(here.gradient, along) - 0.5 * dot(along, times(h, along))
    gained = fell + before - after
    if not promised > 0.0:
        return 1.0 if there.violation <= here.violation else -1.0  # all it does is to mend feasibility
    return gained / promised


def _stride(at: At, here: Local, there: Local, d: Vector) -> Local:
    """Go on doubling a step for as long as the goal keeps falling inside the constraints.

    On an exponential tail Newton's steps stay as long as they were; this crosses it in their logarithm.
    """
    if not dot(there.gradient, d) < 0.2 * dot(here.gradient, d) < 0.0 or there.violation > FEASIBLE:
        return there
    for c, row in zip(there.c, there.c_rows, strict=True):
        if c + dot(row, d) > 1e-12:
            return there
    factor = 2.0
    while factor < 1e12:
        x = [a + factor * b for a, b in zip(here.x, d, strict=True)]
        if size_of(x) > FAR:
            break
        beyond = at(x)
        if beyond is None or beyond.violation > 1e-11 or not dot(beyond.gradient, d) < 0.0:
            break
        there, factor = beyond, 2.0 * factor
    return there


def _ray(at: At, here: Local, c_multipliers: Vector, e_multipliers: Vector) -> Local | None:
    """Follow a coordinate whose force is too faint to show beside the others, to where something stops it.

    None where no coordinate is unbalanced on its own scale or none can move.
    """
    residual, terms = residual_of(here, c_multipliers, e_multipliers)
    diagonal = lagrangian(here, c_multipliers, e_multipliers)[2]
    start = here
    for i, (r, term, curve) in enumerate(zip(residual, terms, diagonal, strict=True)):
        if not abs(r) > 1e-6 * (term + curve):
            continue
        way = -math.copysign(1.0, r)
        length = 1.0
        while length > 1e-3:
            x = list(here.x)
            x[i] = max(-FAR, min(FAR, x[i] + way * length))
            if x == here.x:
                break
            beyond = at(x)
            if beyond is None or beyond.violation > max(1e-10, here.violation) or beyond.gradient[i] * way > 0.0:
                length *= 0.25
                continue
            here, length = beyond, 2.0 * length
    return None if here is start else here
