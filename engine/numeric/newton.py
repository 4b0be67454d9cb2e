"""An active set to the optimum on it: Newton's method on the optimality conditions, undamped.

The descent ends where its steps are short; this makes results as accurate as the functions are, and not as the square
root of that, which is all that comparing values can give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass
from runplan.engine.numeric.algebra import Frame, Matrix, Vector, dot, size_of, solve_flat, times
from runplan.engine.numeric.local import At, Local, lagrangian, residual_of
from runplan.engine.numeric.quadratic import FEASIBLE

# Newton doubles the digits a step: from 1e-6, where the descent hands over, two steps reach rounding. Twelve leave
# room for flat curvature, along which convergence is linear.
STEPS = 12
# A row that adds less than this share of its length to those held says what they say. Below DEPENDENT of the
# quadratic program, whose rows these are.
REPEATED = 1e-10
# A first step longer than this leaves the region where the active set was found; the descent goes on instead.
NEAR = 1e-3
# Steps shorter than this that no longer halve are rounding.
STALLED = 1e-8
# Two units in the last place of x: no step is shorter.
LAST_PLACE = 2e-16
# Forces balance to this share of the terms that they are the sum of, in each coordinate.
BALANCED = 1e-9
# Multipliers come from the largest force by solving with rows of a condition of about 100, usually: 1e-16 of it
# becomes 1e-14.
GRAIN = 1e-14


@dataclass(frozen=True, slots=True)
class Stationary:
    """A point where the optimality conditions hold, with the multipliers (m) and (p) that show it."""

    here: Local
    c_multipliers: Vector
    e_multipliers: Vector


@dataclass(frozen=True, slots=True)
class _Held:
    """The rows of the active set that are independent: which they are, what they are off, and a frame of them."""

    rows: list[tuple[bool, int]]  # whether an equality, and its index
    values: Vector
    frame: Frame


def polish(
    at: At, here: Local, working: Sequence[int], c_multipliers: Vector, e_multipliers: Vector, faint: float
) -> Stationary | None:
    """The optimum with the inequalities `working` and all equalities held; None unless it is one of the problem.

    Args:
        at: The objective and constraints.
        here: A point near the optimum.
        working: The inequalities that are active there.
        c_multipliers: Multipliers (m) near those of the optimum; the curvature of constraints counts by them.
        e_multipliers: The same (p) for the equalities.
        faint: Directions in which the force is less than this share of the largest stay as they are.
    """
    last = math.inf
    for _ in range(STEPS):
        held = _independent(here, working)
        d, force = _newton_step(here, held, c_multipliers, e_multipliers, faint)
        size = size_of(d)
        if not size <= NEAR:
            return None
        c_multipliers, e_multipliers = _multipliers(here, held, force)
        if size >= 0.5 * last and size < STALLED:
            break
        there = at([a + b for a, b in zip(here.x, d, strict=True)])
        if there is None:
            return None
        here, last = there, size
        if size <= LAST_PLACE * max(1.0, size_of(here.x)):
            break
    return _checked(here, held, working, c_multipliers, e_multipliers, faint)


def _independent(here: Local, working: Sequence[int]) -> _Held:
    held = _Held([], [], Frame())
    for equal, i in [(True, i) for i in range(len(here.e))] + [(False, i) for i in working]:
        if held.frame.add(here.e_rows[i] if equal else here.c_rows[i], REPEATED):
            held.rows.append((equal, i))
            held.values.append(-(here.e[i] if equal else here.c[i]))
    return held


def _newton_step(
    here: Local, held: _Held, c_multipliers: Vector, e_multipliers: Vector, faint: float
) -> tuple[Vector, Vector]:
    """The step onto the held rows and, across them, to where the Lagrangian is least; and the force left at its end.

    The null-space method (Nocedal & Wright 2006, section 16.2). Directions in which nothing changes to second order
    are not moved along.
    """
    n = len(here.x)
    h, spread, _ = lagrangian(here, c_multipliers, e_multipliers)
    d = held.frame.reach(held.values, n)
    free = held.frame.complement(n)
    if free:
        toward = [-(a + b) for a, b in zip(here.gradient, times(h, d), strict=True)]
        reduced, scale = reduced_hessian(h, spread, free)
        right = [dot(z, toward) for z in free]
        if faint:
            least = faint * size_of(residual_of(here, c_multipliers, e_multipliers)[1])
            right = [a if abs(a) > least else 0.0 for a in right]
        for z, weight in zip(free, solve_flat(reduced, scale, right), strict=True):
            d = [a + weight * b for a, b in zip(d, z, strict=True)]
    return d, [-(a + b) for a, b in zip(here.gradient, times(h, d), strict=True)]


def reduced_hessian(h: Matrix, spread: Matrix, free: Matrix) -> tuple[Matrix, Vector]:
    """Z'H Z for the directions `free`, the rows of Z', and what its diagonal would be without cancellation."""
    bent = [times(h, w) for w in free]
    reduced = [[dot(z, hz) for hz in bent] for z in free]
    scale = [dot(z, times(spread, z)) for z in [[abs(a) for a in z] for z in free]]
    return reduced, scale


def _multipliers(here: Local, held: _Held, force: Vector) -> tuple[Vector, Vector]:
    """The multipliers with which the held rows balance a force; zero for all others."""
    c_multipliers, e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
    weights = held.frame.combine([dot(q, force) for q in held.frame.q])
    for (equal, i), weight in zip(held.rows, weights, strict=True):
        (e_multipliers if equal else c_multipliers)[i] = weight
    return c_multipliers, e_multipliers


def _checked(
    here: Local, held: _Held, working: Sequence[int], c_multipliers: Vector, e_multipliers: Vector, faint: float
) -> Stationary | None:
    """The point, if it is feasible, forces balance and no multiplier is negative by more than rounding."""
    if here.violation > FEASIBLE:
        return None
    diagonal = lagrangian(here, c_multipliers, e_multipliers)[2]
    residual, terms = residual_of(here, c_multipliers, e_multipliers)
    # multipliers are rounded to the largest of them, and spread that to each coordinate that their rows touch
    grain = GRAIN * (size_of(terms) + max(diagonal))
    held_rows = [here.e_rows[i] if equal else here.c_rows[i] for equal, i in held.rows]
    allowed = [
        BALANCED * (term + curve) + faint * size_of(terms) + grain * sum(abs(row[i]) for row in held_rows)
        for i, (term, curve) in enumerate(zip(terms, diagonal, strict=True))
    ]
    if any(abs(r) > most for r, most in zip(residual, allowed, strict=True)):
        return None
    for i in working:
        if c_multipliers[i] < 0.0:
            if any(-c_multipliers[i] * abs(a) > most for a, most in zip(here.c_rows[i], allowed, strict=True)):
                return None
            c_multipliers[i] = 0.0
    return Stationary(here, c_multipliers, e_multipliers)
