"""A point to the quadratic program around it: a Hessian made positive definite, and the constraints in a box."""

from __future__ import annotations

import math

from runplan.engine.numeric.algebra import Matrix, Vector, cholesky, size_of
from runplan.engine.numeric.local import Local
from runplan.engine.numeric.quadratic import Step, quadratic

# No logarithm of a physical quantity is beyond this: exp(709) is the largest double.
FAR = 1e3
# A coordinate whose curvature and slope are below this share of the largest has no part in the objective: 100 units
# in the last place, which is what sums of a few terms leave.
NO_PART = 1e-14
# The curvature that an objective with a slope is taken to have at least, of the slope: exponents in scaling laws are
# above 0.01, and the curvature of exp(a x) is a times its slope.
SLOPE = 1e-2
# The smallest scale: far above the subnormals (5e-324), whose reciprocals overflow.
TINY = 1e-290
# The lift of coordinates with a curvature, as a share of it: it makes up for rounding in a Cholesky factor (about
# n^2 units in the last place for n <= 10 variables).
ROUNDING = 1e-13
# The lift as a share of the force that the multipliers at hand leave: it goes to nothing where they balance, so that
# the last steps are Newton's.
UNBALANCED = 1e-4
# A coordinate without a part in the objective is lifted to this share of the least part that another has, at most.
BESIDE_FAINTEST = 1e-3
# A matrix that is still not positive definite is lifted by this share of its diagonal, and ten times more each time:
# in 40 times from 1e-9 to far beyond any diagonal.
FIRST_EXTRA, MORE_EXTRA, EXTRAS = 1e-9, 10.0, 40


def regularised(
    h: Matrix, diagonal: Vector, slope: Vector, unbalanced: Vector, *, damping: float, ballast: float, idle: float
) -> Matrix:
    """A Cholesky factor L (n, n) of a Hessian, lifted on its diagonal until it is positive definite.

    As in Levenberg and Marquardt, but by coordinate: a coordinate whose part in the objective is a billionth of
    another's must still move freely. The lift keeps the free minimum in proportion: it is a share of the force that
    the multipliers at hand leave, and a far smaller one, `ballast`, of the whole. Coordinates without a part in the
    objective follow the others, and must not hold back the faintest.

    Args:
        h: The Hessian (n, n) of the Lagrangian.
        diagonal: Its diagonal (n) without cancellation.
        slope: The gradient (n) of the objective.
        unbalanced: The gradient (n) of the Lagrangian.
        damping: What every coordinate is lifted by.
        ballast: The lift as a share of `slope`.
        idle: The largest lift of coordinates without a part in the objective.
    """
    base = max(max(diagonal), SLOPE * size_of(slope), TINY)
    parts = [curve + abs(s) for curve, s in zip(diagonal, slope, strict=True)]
    faintest = min(part for part in [*parts, base] if part > NO_PART * base)
    idle = max(ROUNDING * base, min(idle, BESIDE_FAINTEST * faintest))
    lift: Vector = []
    for curve, s, force in zip(diagonal, slope, unbalanced, strict=True):
        if curve + abs(s) <= NO_PART * base:
            lift.append(damping + idle)
        else:
            share = max(UNBALANCED * abs(force) + ballast * abs(s), NO_PART * base)
            lift.append(damping + share + ROUNDING * curve)
    extra = 0.0
    for _ in range(EXTRAS):
        lifted = [list(row) for row in h]
        for i, more in enumerate(lift):
            lifted[i][i] += more + extra * (diagonal[i] + more)
        lower = cholesky(lifted)
        if lower is not None:
            return lower
        extra = MORE_EXTRA * extra or FIRST_EXTRA
    return [[0.0] * i + [math.sqrt(base)] for i in range(len(slope))]


def solved_in_box(here: Local, lower: Matrix, c: Vector, e: Vector) -> Step | None:
    """The quadratic program around a point with constraints c + C d <= 0, e + E d = 0, kept within |x| <= FAR.

    The box becomes 2 n rows after those of the constraints, and only where the step would leave it: upper ends
    first, then lower ones; their multipliers are the step's `box`.
    """
    step = quadratic(here.gradient, lower, e, here.e_rows, c, here.c_rows)
    if step is None or all(abs(a + b) <= FAR for a, b in zip(here.x, step.d, strict=True)):
        return step
    n = len(here.x)
    box = [[sign * (i == j) for j in range(n)] for sign in (1.0, -1.0) for i in range(n)]
    room = [a - FAR for a in here.x] + [-a - FAR for a in here.x]
    fenced = quadratic(here.gradient, lower, e, here.e_rows, c + room, here.c_rows + box)
    if fenced is None:
        return None
    m, weights = len(c), fenced.c_multipliers
    working = [i for i in fenced.working if i < m]
    return Step(fenced.d, weights[:m], fenced.e_multipliers, working, weights[m:])
