"""A point that Newton's steps creep away from to one far along, by doubling."""

from __future__ import annotations

import math

from runplan.engine.numeric.algebra import Vector, dot, size_of
from runplan.engine.numeric.local import At, Local, lagrangian, residual_of
from runplan.engine.numeric.quadratic import FEASIBLE
from runplan.engine.numeric.subproblem import FAR

# A step is worth going on with where its end still has this share of the slope it began with: after Newton's step on
# a parabola nothing is left, on an exponential tail 1/e = 0.37.
STILL_FALLING = 0.2
# A constraint that the same step once more would reach, to rounding, stops the doubling.
TOUCHED = 1e-12
# 40 doublings: from any step that is not rounding to beyond |x| = 1e3.
LONGEST = 1e12
# A point beyond may be infeasible by rounding only, or by no more than it was; where tangents were not consulted, ten
# times that.
INFEASIBLE_BY_ROUNDING, INFEASIBLE_ALONG = 1e-11, 1e-10
# A coordinate is out of balance where its force is more than this share of its own terms: far above their rounding,
# 1e-16, and the 1e-9 to which an optimum is held.
UNBALANCED = 1e-6
# Walks along a coordinate begin with this step, double it while all is well, and quarter it down to the second where
# it is not: what Newton's method can take over.
FIRST_STEP, LAST_STEP, SHORTER, LONGER = 1.0, 1e-3, 0.25, 2.0


def doubled(at: At, here: Local, there: Local, d: Vector) -> Local:
    """Go on doubling the step d from `here` to `there` for as long as the objective keeps falling inside.

    On an exponential tail Newton's steps stay as long as they were; this crosses it in their logarithm.
    """
    if not dot(there.gradient, d) < STILL_FALLING * dot(here.gradient, d) < 0.0 or there.violation > FEASIBLE:
        return there
    for c, row in zip(there.c, there.c_rows, strict=True):
        if c + dot(row, d) > TOUCHED:
            return there
    factor = 2.0
    while factor < LONGEST:
        x = [a + factor * b for a, b in zip(here.x, d, strict=True)]
        if size_of(x) > FAR:
            break
        beyond = at(x)
        if beyond is None or beyond.violation > INFEASIBLE_BY_ROUNDING or not dot(beyond.gradient, d) < 0.0:
            break
        there, factor = beyond, 2.0 * factor
    return there


def along_faint_coordinates(at: At, here: Local, c_multipliers: Vector, e_multipliers: Vector) -> Local | None:
    """Follow coordinates whose force is too faint to show beside the others, to where something stops them.

    None where no coordinate is unbalanced on its own scale or none can move.
    """
    residual, terms = residual_of(here, c_multipliers, e_multipliers)
    diagonal = lagrangian(here, c_multipliers, e_multipliers)[2]
    start = here
    for i, (r, term, curve) in enumerate(zip(residual, terms, diagonal, strict=True)):
        if abs(r) > UNBALANCED * (term + curve):
            here = _along_coordinate(at, here, i, -math.copysign(1.0, r))
    return None if here is start else here


def _along_coordinate(at: At, here: Local, i: int, way: float) -> Local:
    """The furthest point reached in coordinate i while the objective falls and nothing is violated more."""
    length = FIRST_STEP
    while length > LAST_STEP:
        x = list(here.x)
        x[i] = max(-FAR, min(FAR, x[i] + way * length))
        if x == here.x:
            break
        beyond = at(x)
        worse = beyond is None or beyond.violation > max(INFEASIBLE_ALONG, here.violation)
        if beyond is None or worse or beyond.gradient[i] * way > 0.0:
            length *= SHORTER
            continue
        here, length = beyond, LONGER * length
    return here
