"""Smooth objectives and constraints to what they are around a point, to second order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Protocol
from runplan.engine.numeric.algebra import Matrix, Vector, cholesky, size_of

Point = tuple[float, ...]

# Violations beyond this are compared by their logarithms: exp(100) is further than any plan is off, and squares of
# what lies beyond would overflow.
STEEP = 100.0
# A positive objective below this has no logarithm to work with: doubles lose digits from 2e-308 on.
GONE = 1e-290
# With a slope above this, rounding made the objective zero, as in log(1 + tiny): a sum of exponentials that is GONE
# has a slope as small as itself.
SLOPE_OF_GONE = 1e-200
# A slope of a logarithm beyond this overflows when it is squared twice.
STEEPEST = 1e100
# A logarithm is taken for convex where its Hessian is positive definite with this share of its diagonal added, of
# what the diagonal is without cancellation; TINY stands in where that is zero.
CONVEX, TINY = 1e-9, 1e-300


class Smooth(Protocol):
    """A function with its first and second derivatives."""

    def __call__(self, x: Point) -> tuple[float, Vector, Matrix]:
        """Value, gradient (k) and Hessian (k, k) at a point (k); may be inf or nan, or overflow, far away."""
        ...


@dataclass(frozen=True, slots=True)
class _Linear:
    """a'x + b, with the derivatives that every call shares."""

    slope: Vector
    constant: float
    flat: Matrix

    def __call__(self, x: Point) -> tuple[float, Vector, Matrix]:
        total = self.constant
        for a, b in zip(self.slope, x, strict=True):
            total += a * b
        return total, self.slope, self.flat


def linear(coefficients: Sequence[float], constant: float) -> Smooth:
    """The function a'x + b of a point as long as the coefficients (k)."""
    k = len(coefficients)
    return _Linear([float(a) for a in coefficients], float(constant), [[0.0] * k for _ in range(k)])


@dataclass(slots=True)
class Local:
    """An objective and constraints at a point, to second order.

    `spread` is the diagonal of the objective's Hessian without cancellation: a measure of its rounding.
    """

    x: Vector
    value: float
    gradient: Vector
    hessian: Matrix
    spread: Vector
    c: Vector
    c_rows: Matrix
    c_curves: list[Matrix]
    e: Vector
    e_rows: Matrix
    e_curves: list[Matrix]
    violation: float


At = Callable[[Vector], Local | None]


def value_at(function: Smooth, x: Point) -> tuple[float, Vector, Matrix] | None:
    """A function at a point; None where it, or a derivative, is not a number we can use."""
    try:
        value, gradient, hessian = function(x)
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    if not math.isfinite(value + sum(gradient)):
        return None
    return (value, gradient, hessian) if math.isfinite(sum(map(sum, hessian))) else None


def limits_at(
    x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], slack: float
) -> tuple[Vector, Matrix, list[Matrix], Vector, Matrix, list[Matrix], float] | None:
    """Inequalities less a slack and equalities, each as values, rows and curves, and the worst violation.

    None where one of them is not a number we can use.
    """
    point = tuple(x)
    c: Vector = []
    c_rows: Matrix = []
    c_curves: list[Matrix] = []
    e: Vector = []
    e_rows: Matrix = []
    e_curves: list[Matrix] = []
    worst = 0.0
    for function in inequalities:
        found = value_at(function, point)
        if found is None:
            return None
        c.append(found[0] - slack)
        c_rows.append(found[1])
        c_curves.append(found[2])
        worst = max(worst, c[-1])
    for function in equalities:
        found = value_at(function, point)
        if found is None:
            return None
        e.append(found[0])
        e_rows.append(found[1])
        e_curves.append(found[2])
        worst = max(worst, abs(found[0]) - slack)
    return c, c_rows, c_curves, e, e_rows, e_curves, worst


class Objective:
    """An objective under constraints. Works on its logarithm for as long as that is convex.

    Far from its minimum a sum of exponentials looks like one exponential, on which Newton's method creeps;
    its logarithm looks like a line.

    Attributes:
        in_logs: Whether the logarithm is in use.
        doubtful: Whether the objective was 0 by rounding, so that its logarithm says nothing.
    """

    def __init__(
        self, objective: Smooth, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], slack: float
    ) -> None:
        self.objective = objective
        self.inequalities = inequalities
        self.equalities = equalities
        self.slack = slack
        self.in_logs = True
        self.doubtful = False

    def __call__(self, x: Vector) -> Local | None:
        """The objective, or its logarithm, and the constraints at a point (k)."""
        found = value_at(self.objective, tuple(x))
        if found is None:
            return None
        limits = limits_at(x, self.inequalities, self.equalities, self.slack)
        if limits is None:
            return None
        f, g, h = found
        if self.in_logs and 0.0 <= f <= GONE:
            self.doubtful = size_of(g) > SLOPE_OF_GONE
            return None
        if self.in_logs and f > 0.0:
            slope = [a / f for a in g]
            if not size_of(slope) < STEEPEST:
                return None
            curve = [[a / f - u * w for a, w in zip(row, slope, strict=True)] for row, u in zip(h, slope, strict=True)]
            spread = [abs(row[i]) / f + slope[i] * slope[i] for i, row in enumerate(h)]
            return Local(x, math.log(f), slope, curve, spread, *limits)
        return Local(x, f, g, h, [abs(row[i]) for i, row in enumerate(h)], *limits)

    def suits(self, here: Local) -> bool:
        """Whether the form in use is convex at a point; turns to the plain objective for good where it is not."""
        if not self.in_logs:
            return True
        if not self.doubtful and self.objective(tuple(here.x))[0] > GONE:
            lifted = [
                [a + (CONVEX * s + TINY if i == j else 0.0) for j, a in enumerate(row)]
                for i, (row, s) in enumerate(zip(here.hessian, here.spread, strict=True))
            ]
            if cholesky(lifted) is not None:
                return True
        self.in_logs = False
        return False


class Elastic:
    """The violation t + t^2/2 over (x, t), under c <= t and |e| <= t; t follows x."""

    def __init__(self, inequalities: Sequence[Smooth], equalities: Sequence[Smooth]) -> None:
        self.inequalities = inequalities
        self.equalities = equalities

    def __call__(self, x: Vector) -> Local | None:
        """The violation and what it is to exceed at (x, t), whatever t was."""
        limits = limits_at(x[:-1], self.inequalities, self.equalities, 0.0)
        if limits is None:
            return None
        c, c_rows, c_curves, e, e_rows, e_curves, _ = limits
        k = len(x) - 1
        for i, over in enumerate(c):
            if over > STEEP:
                c[i], c_rows[i], c_curves[i] = _flattened(over, c_rows[i], c_curves[i])
        t = max([0.0, *c, *map(abs, e)])
        # c <= t, then e <= t, then -e <= t, then 0 <= t
        above = [*c, *e, *(-a for a in e), 0.0]
        minus_rows = [[-a for a in row] for row in e_rows]
        minus_curves = [[[-a for a in row] for row in curve] for curve in e_curves]
        flat = [[0.0] * k for _ in range(k)]
        return Local(
            [*x[:-1], t],
            t + 0.5 * t * t,
            [0.0] * k + [1.0 + t],
            _bordered(flat, 1.0),
            [0.0] * k + [1.0],
            [a - t for a in above],
            [[*row, -1.0] for row in [*c_rows, *e_rows, *minus_rows, [0.0] * k]],
            [_bordered(curve, 0.0) for curve in [*c_curves, *e_curves, *minus_curves, flat]],
            [],
            [],
            [],
            0.0,
        )

    def split(self, multipliers: Vector) -> tuple[Vector, Vector]:
        """Multipliers of the rows above as those of the inequalities, >= 0, and of the equalities, with a sign."""
        m, p = len(self.inequalities), len(self.equalities)
        above, below = multipliers[m : m + p], multipliers[m + p : m + 2 * p]
        return multipliers[:m], [a - b for a, b in zip(above, below, strict=True)]


def _flattened(over: float, row: Vector, curve: Matrix) -> tuple[float, Vector, Matrix]:
    """STEEP (1 + ln(over / STEEP)) in place of a violation: the same level sets and, at STEEP, the same slope.

    Such a violation is a sum of exponentials, most likely, and its logarithm nearly a line.
    """
    rate = STEEP / over
    slope = [rate * a for a in row]
    bent = [
        [rate * a - u * w / STEEP for a, w in zip(bends, slope, strict=True)]
        for bends, u in zip(curve, slope, strict=True)
    ]
    return STEEP * (1.0 + math.log(over / STEEP)), slope, bent


def _bordered(matrix: Matrix, corner: float) -> Matrix:
    """A matrix (k, k) as one of (k + 1, k + 1): zeros, and one number in the corner."""
    return [[*row, 0.0] for row in matrix] + [[0.0] * len(matrix) + [corner]]


def lagrangian(here: Local, c_multipliers: Vector, e_multipliers: Vector) -> tuple[Matrix, Matrix, Vector]:
    """The Hessian of the Lagrangian; the same with no sign, as a measure of rounding; its diagonal."""
    n = len(here.x)
    h = [list(row) for row in here.hessian]
    spread = [[abs(a) for a in row] for row in here.hessian]
    for i in range(n):
        spread[i][i] = max(spread[i][i], here.spread[i])
    for weights, curves in ((c_multipliers, here.c_curves), (e_multipliers, here.e_curves)):
        for weight, curve in zip(weights, curves, strict=True):
            if weight == 0.0:
                continue
            for i, row in enumerate(curve):
                if not any(row):  # all of a line's, which most limits are
                    continue
                to, size = h[i], spread[i]
                for j, a in enumerate(row):
                    if a:
                        to[j] += weight * a
                        size[j] += abs(weight * a)
    return h, spread, [spread[i][i] for i in range(n)]


def residual_of(here: Local, c_multipliers: Vector, e_multipliers: Vector) -> tuple[Vector, Vector]:
    """The gradient of the Lagrangian, and the size of the terms that it is the sum of."""
    total, size = list(here.gradient), [abs(a) for a in here.gradient]
    for weights, rows in ((c_multipliers, here.c_rows), (e_multipliers, here.e_rows)):
        for weight, row in zip(weights, rows, strict=True):
            if weight:
                for i, a in enumerate(row):
                    total[i] += weight * a
                    size[i] += abs(weight * a)
    return total, size
