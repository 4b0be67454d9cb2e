"""Smooth, mostly convex problems in a few logarithms to their minimiser, its multipliers and an outcome.

The method is sequential quadratic programming with exact second derivatives:

1. `_Elastic` leads to a feasible point: the largest violation t is minimised over (x, t). For convex
   constraints, and monotone transforms of them, a stationary point with t > 0 proves that there is none.
2. `_descend` minimises one goal. Each step is a convex quadratic program, solved by the dual active-set
   method of Goldfarb and Idnani (1983); damping as in Levenberg and Marquardt stands in for a trust region.
3. `_polish` finishes with undamped Newton steps on the optimality conditions of the active set, so that
   results are as accurate as the functions and not as their square roots.
4. `_held` finds the directions in which a goal still changes at its minimum; later goals keep out of them.

Plain Python: problems have up to six variables, and importing numpy would cost more than solving one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Point = tuple[float, ...]
Vector = list[float]
Matrix = list[list[float]]
Outcome = Literal["optimal", "infeasible", "unbounded", "gave-up"]

FEASIBLE = 1e-9  # what a constraint may be off: constraints are logarithms, so this is relative
INFEASIBLE = 1e-7  # a least violation above this is a proof, below it is arithmetic
FAR = 1e3  # no logarithm of a physical quantity is beyond this
NOISE = 1e-11  # pivots of a matrix with unit diagonal below this are rounding
VANISHED = -640.0  # the logarithm of a positive goal that has run down to nothing
FAINT = 1e-12  # a force below this, relative to the largest, may stay unbalanced
BENT = 1e-2  # violations up to this, on the way, are put down to curvature
STEEP = 100.0  # violations beyond this are compared by their logarithms
MATTERS = 1e-9  # a multiplier below this, relative to the gradient of the goal, is not binding


class Smooth(Protocol):
    """A function with its first and second derivatives."""

    def __call__(self, x: Point) -> tuple[float, Vector, Matrix]:
        """Value, gradient (k) and Hessian (k, k) at a point (k); may be inf or nan, or overflow, far away."""
        ...


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


def solve_linear(a: Matrix, b: Vector) -> Vector | None:
    """The x (n) with a x = b for a square a (n, n), by elimination with scaled partial pivoting.

    None where a is singular to working precision, or holds an inf or nan.
    """
    n = len(b)
    rows = []
    for row, right in zip(a, b, strict=True):
        size = max((abs(entry) for entry in row), default=0.0)
        if not 0.0 < size < math.inf:
            return None
        rows.append([entry / size for entry in row] + [right / size])
    for i in range(n):
        p = max(range(i, n), key=lambda j: abs(rows[j][i]))
        if not abs(rows[p][i]) > 1e-14:
            return None
        rows[i], rows[p] = rows[p], rows[i]
        pivot = rows[i]
        for j in range(i + 1, n):
            ratio = rows[j][i] / pivot[i]
            if ratio:
                rows[j] = [u - ratio * w for u, w in zip(rows[j], pivot, strict=True)]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][j] * x[j] for j in range(i + 1, n))) / rows[i][i]
    return x if all(map(math.isfinite, x)) else None


# Small dense algebra. Vectors are lists; nothing is changed in place but by its owner.


def _dot(a: Vector, b: Vector) -> float:
    total = 0.0
    for u, w in zip(a, b, strict=True):
        total += u * w
    return total


def _size(a: Vector) -> float:
    return max(map(abs, a), default=0.0)


def _times(matrix: Matrix, a: Vector) -> Vector:
    return [_dot(row, a) for row in matrix]


def _cholesky(h: Matrix) -> Matrix | None:
    """The lower L with L L' = h, or None where h is not positive definite."""
    lower: Matrix = []
    for i, source in enumerate(h):
        row: Vector = []
        for j in range(i + 1):
            total = source[j]
            other = lower[j] if j < i else row
            for u, w in zip(row, other[:j], strict=True):
                total -= u * w
            if j < i:
                row.append(total / other[j])
            elif total > 1e-15 * source[i]:
                row.append(math.sqrt(total))
            else:
                return None
        lower.append(row)
    return lower


def _forward(lower: Matrix, b: Vector) -> Vector:
    """L^-1 b."""
    x: Vector = []
    for row, right in zip(lower, b, strict=True):
        total = right
        for u, w in zip(row, x, strict=False):
            total -= u * w
        x.append(total / row[-1])
    return x


def _backward(lower: Matrix, b: Vector) -> Vector:
    """L'^-1 b."""
    x = list(b)
    for i in reversed(range(len(b))):
        row = lower[i]
        x[i] /= row[i]
        for j in range(i):
            x[j] -= row[j] * x[i]
    return x


class _Frame:
    """Independent rows a_j and an orthonormal basis q: a_j = sum over l <= j of parts[j][l] q[l]."""

    __slots__ = ("parts", "q")

    def __init__(self) -> None:
        self.q: Matrix = []
        self.parts: Matrix = []

    def split(self, a: Vector) -> tuple[Vector, Vector, float]:
        """The part of `a` in the span, as coefficients of q; the rest; and the length of the rest."""
        parts, rest = [0.0] * len(self.q), list(a)
        for _ in range(2):  # twice is enough for orthogonality to rounding (Kahan)
            for j, q in enumerate(self.q):
                along = _dot(q, rest)
                parts[j] += along
                rest = [u - along * w for u, w in zip(rest, q, strict=True)]
        return parts, rest, math.sqrt(_dot(rest, rest))

    def add(self, a: Vector, least: float) -> bool:
        """Take in a row, unless less than `least` of its length is new."""
        parts, rest, length = self.split(a)
        if not length > least * math.sqrt(_dot(a, a)):
            return False
        self.q.append([u / length for u in rest])
        self.parts.append([*parts, length])
        return True

    def combine(self, parts: Vector) -> Vector:
        """The u with sum u_j a_j = sum parts_l q_l."""
        u = list(parts)
        for j in reversed(range(len(u))):
            u[j] /= self.parts[j][j]
            for i in range(j):
                u[i] -= self.parts[j][i] * u[j]
        return u

    def reach(self, values: Vector, n: int) -> Vector:
        """The shortest d (n) with a_j d = values_j."""
        d = [0.0] * n
        for weight, q in zip(_forward(self.parts, values), self.q, strict=True):
            d = [u + weight * w for u, w in zip(d, q, strict=True)]
        return d

    def complement(self, n: int) -> Matrix:
        """An orthonormal basis of the directions (n) across all rows, along axes where it can be."""
        whole = _Frame()
        whole.q = list(self.q)
        free = list(range(n))
        while len(whole.q) < n:
            splits = [(i, *whole.split([float(j == i) for j in range(n)])[1:]) for i in free]
            i, rest, length = max(splits, key=lambda found: found[2])
            free.remove(i)
            whole.q.append([u / length for u in rest])
        # rounding would give a direction a part, however small, in a coordinate that is far more curved
        return [[u if abs(u) > 1e-14 else 0.0 for u in z] for z in whole.q[len(self.q) :]]


def _pivoted(b: Matrix, scale: Vector) -> tuple[list[int], Matrix]:
    """Pivots and columns of a Cholesky factor of `b`, stopped where only rounding is left.

    `scale` is what the diagonal of `b` would be without cancellation; a pivot counts relative to it.
    Columns are full length, in the order of the pivots: b is the sum of their outer products, to rounding.
    """
    n = len(b)
    rest = [list(row) for row in b]
    pivots: list[int] = []
    columns: Matrix = []
    while len(pivots) < n:
        left = [i for i in range(n) if i not in pivots and scale[i] > 0.0]
        p = max(left, key=lambda i: rest[i][i] / scale[i], default=-1)
        if p < 0 or not rest[p][p] > NOISE * scale[p]:
            break
        root = math.sqrt(rest[p][p])
        column = [0.0 if i in pivots else rest[i][p] / root for i in range(n)]
        pivots.append(p)
        columns.append(column)
        for i in range(n):
            for j in range(n):
                rest[i][j] -= column[i] * column[j]
    return pivots, columns


# The problem around one point.


@dataclass(slots=True)
class _Local:
    """A goal and constraints at a point, to second order.

    `spread` is the diagonal of the goal's Hessian without cancellation: a measure of its rounding.
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


_At = Callable[[Vector], _Local | None]


def _evaluate(function: Smooth, x: Point) -> tuple[float, Vector, Matrix] | None:
    """A function at a point; None where it, or a derivative, is not a number we can use."""
    try:
        value, gradient, hessian = function(x)
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    if not math.isfinite(value + sum(gradient)):
        return None
    return (value, gradient, hessian) if math.isfinite(sum(map(sum, hessian))) else None


def _constraints(
    x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], slack: float
) -> tuple[Vector, Matrix, list[Matrix], Vector, Matrix, list[Matrix], float] | None:
    point = tuple(x)
    c: Vector = []
    c_rows: Matrix = []
    c_curves: list[Matrix] = []
    e: Vector = []
    e_rows: Matrix = []
    e_curves: list[Matrix] = []
    worst = 0.0
    for function in inequalities:
        found = _evaluate(function, point)
        if found is None:
            return None
        c.append(found[0] - slack)
        c_rows.append(found[1])
        c_curves.append(found[2])
        worst = max(worst, c[-1])
    for function in equalities:
        found = _evaluate(function, point)
        if found is None:
            return None
        e.append(found[0])
        e_rows.append(found[1])
        e_curves.append(found[2])
        worst = max(worst, abs(found[0]) - slack)
    return c, c_rows, c_curves, e, e_rows, e_curves, worst


class _Goal:
    """A goal under constraints. Works on the logarithm of the goal for as long as that is convex.

    Far from its minimum a sum of exponentials looks like one exponential, on which Newton's method creeps;
    its logarithm looks like a line.
    """

    def __init__(
        self, goal: Smooth, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], slack: float
    ) -> None:
        self.goal = goal
        self.inequalities = inequalities
        self.equalities = equalities
        self.slack = slack
        self.in_logs = True
        self.doubtful = False

    def __call__(self, x: Vector) -> _Local | None:
        found = _evaluate(self.goal, tuple(x))
        if found is None:
            return None
        limits = _constraints(x, self.inequalities, self.equalities, self.slack)
        if limits is None:
            return None
        f, g, h = found
        if self.in_logs and 0.0 <= f <= 1e-290:
            self.doubtful = _size(g) > 1e-200  # then it is rounding that made it zero, as in log(1 + tiny)
            return None
        if self.in_logs and f > 0.0:
            slope = [a / f for a in g]
            if not _size(slope) < 1e100:
                return None
            curve = [[a / f - u * w for a, w in zip(row, slope, strict=True)] for row, u in zip(h, slope, strict=True)]
            spread = [abs(row[i]) / f + slope[i] * slope[i] for i, row in enumerate(h)]
            return _Local(x, math.log(f), slope, curve, spread, *limits)
        return _Local(x, f, g, h, [abs(row[i]) for i, row in enumerate(h)], *limits)

    def suits(self, here: _Local) -> bool:
        """Whether the form in use is convex at a point; turns to the plain goal for good where it is not."""
        if not self.in_logs:
            return True
        if not self.doubtful and self.goal(tuple(here.x))[0] > 1e-290:
            lifted = [
                [a + (1e-9 * s + 1e-300 if i == j else 0.0) for j, a in enumerate(row)]
                for i, (row, s) in enumerate(zip(here.hessian, here.spread, strict=True))
            ]
            if _cholesky(lifted) is not None:
                return True
        self.in_logs = False
        return False


class _Elastic:
    """The violation t + t^2/2 over (x, t), under c <= t and |e| <= t; t follows x."""

    def __init__(self, inequalities: Sequence[Smooth], equalities: Sequence[Smooth]) -> None:
        self.inequalities = inequalities
        self.equalities = equalities

    def __call__(self, x: Vector) -> _Local | None:
        limits = _constraints(x[:-1], self.inequalities, self.equalities, 0.0)
        if limits is None:
            return None
        c, c_rows, c_curves, e, e_rows, e_curves, t = limits
        k = len(x) - 1
        for i, over in enumerate(c):
            if over > STEEP:  # a sum of exponentials, most likely; its logarithm has the same level sets
                rate = STEEP / over
                row = [rate * a for a in c_rows[i]]
                c[i] = STEEP * (1.0 + math.log(over / STEEP))
                c_curves[i] = [
                    [rate * a - u * w / STEEP for a, w in zip(bent, row, strict=True)]
                    for bent, u in zip(c_curves[i], row, strict=True)
                ]
                c_rows[i] = row
        t = max([0.0, *c, *map(abs, e)])
        values = [a - t for a in c] + [a - t for a in e] + [-a - t for a in e] + [-t]
        rows = [[*row, -1.0] for row in c_rows + e_rows] + [[*(-a for a in row), -1.0] for row in e_rows]
        rows.append([0.0] * k + [-1.0])
        curves = [[*([*row, 0.0] for row in curve), [0.0] * (k + 1)] for curve in c_curves + e_curves]
        curves += [[*([*(-a for a in row), 0.0] for row in curve), [0.0] * (k + 1)] for curve in e_curves]
        curves.append([[0.0] * (k + 1) for _ in range(k + 1)])
        hessian = [[0.0] * (k + 1) for _ in range(k)] + [[0.0] * k + [1.0]]
        slope = [0.0] * k + [1.0 + t]
        return _Local(
            [*x[:-1], t],
            t + 0.5 * t * t,
            slope,
            hessian,
            [0.0] * k + [1.0],
            values,
            rows,
            curves,
            [],
            [],
            [],
            0.0,
        )


# The quadratic program.


@dataclass(slots=True)
class _Step:
    """The solution of a quadratic program: its step, multipliers, and the inequalities held as equalities."""

    d: Vector
    c_multipliers: Vector
    e_multipliers: Vector
    working: list[int]


def _quadratic(g: Vector, lower: Matrix, e: Vector, e_rows: Matrix, c: Vector, c_rows: Matrix) -> _Step | None:
    """Minimise g'd + d'L L'd/2 under e + E d = 0 and c + C d <= 0; None where nothing satisfies these.

    The dual method: from the free minimum, take in violated rows one at a time, and let go of those whose
    multiplier would turn negative. In the coordinates y = L'd the objective is a distance, so all that is
    kept is an orthonormal frame of the rows held. Rows are numbered with equalities first.
    """
    n, p = len(g), len(e)
    d = _backward(lower, [-a for a in _forward(lower, g)])
    reach = max(1.0, _size(d))
    rows, values = e_rows + c_rows, e + c
    sizes = [_size(row) for row in rows]
    allowed = [1e-12 + 4e-16 * reach * size for size in sizes]
    whitened: dict[int, Vector] = {}
    frame = _Frame()
    held: list[int] = []
    u: Vector = []
    ignored: set[int] = set()

    def violated() -> int:
        worst, at = 0.0, -1
        for i in range(p, len(rows)):
            over = values[i] + _dot(rows[i], d)
            if over > allowed[i] and i not in held and i not in ignored:
                over /= sizes[i] or 1.0
                if over > worst:
                    worst, at = over, i
        return at

    exact = 0
    for turn in range(p + 20 * (len(rows) + n) + 20):
        new = turn if turn < p else violated()
        if new < 0:
            if held:  # take out the rounding of a free minimum that was far away, and look once more
                off = [-values[j] - _dot(rows[j], d) for j in held]
                d = [a + b for a, b in zip(d, _backward(lower, frame.reach(off, n)), strict=True)]
                allowed = [1e-12 + 4e-16 * max(1.0, _size(d)) * size for size in sizes]
            exact += 1
            if exact > 2 or not held:
                break
            continue
        if new not in whitened:
            whitened[new] = _forward(lower, rows[new])
        row, multiplier = whitened[new], 0.0
        while True:
            parts, rest, length = frame.split(row)
            over = values[new] + _dot(rows[new], d)
            if length > 1e-9 * math.sqrt(_dot(row, row)):
                full = over / (length * length)
            elif abs(over) <= 0.9 * FEASIBLE + allowed[new]:
                ignored.add(new)  # says what others say, to rounding
                break
            elif new < p:
                return None
            else:
                full = math.inf
            ratios = frame.combine(parts)
            short, leaving = math.inf, -1
            if new >= p:
                for j, (ratio, have) in enumerate(zip(ratios, u, strict=True)):
                    if held[j] >= p and ratio > 1e-14 and have / ratio < short:
                        short, leaving = have / ratio, j
            t = min(short, full)
            if math.isinf(t):
                return None
            if not math.isinf(full):
                move = _backward(lower, rest)
                d = [a - t * b for a, b in zip(d, move, strict=True)]
            u = [have - t * ratio for have, ratio in zip(u, ratios, strict=True)]
            multiplier += t
            if full <= short:
                held.append(new)
                u.append(multiplier)
                frame.q.append([a / length for a in rest])
                frame.parts.append([*parts, length])
                break
            del held[leaving], u[leaving]
            frame = _Frame()
            for j in held:
                frame.add(whitened[j], 0.0)
    else:
        return None
    c_multipliers, e_multipliers = [0.0] * len(c), [0.0] * p
    for j, have in zip(held, u, strict=True):
        if j < p:
            e_multipliers[j] = have
        else:
            c_multipliers[j - p] = max(0.0, have)
    return _Step(d, c_multipliers, e_multipliers, [j - p for j in held if j >= p])


# One goal.


@dataclass(slots=True)
class _Descent:
    """Where minimising one goal came to rest, and how."""

    here: _Local
    c_multipliers: Vector
    e_multipliers: Vector
    outcome: Literal["optimal", "unbounded", "inconsistent", "stalled", "enough"]
    steps: int


def _lagrangian(here: _Local, c_multipliers: Vector, e_multipliers: Vector) -> tuple[Matrix, Matrix, Vector]:
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
                to, size = h[i], spread[i]
                for j, a in enumerate(row):
                    if a:
                        to[j] += weight * a
                        size[j] += abs(weight * a)
    return h, spread, [spread[i][i] for i in range(n)]


def _residual(here: _Local, c_multipliers: Vector, e_multipliers: Vector) -> tuple[Vector, Vector]:
    """The gradient of the Lagrangian, and the size of the terms that it is the sum of."""
    total, size = list(here.gradient), [abs(a) for a in here.gradient]
    for weights, rows in ((c_multipliers, here.c_rows), (e_multipliers, here.e_rows)):
        for weight, row in zip(weights, rows, strict=True):
            if weight:
                for i, a in enumerate(row):
                    total[i] += weight * a
                    size[i] += abs(weight * a)
    return total, size


def _polish(
    at: _At, here: _Local, working: list[int], c_multipliers: Vector, e_multipliers: Vector, faint: float
) -> _Descent | None:
    """Newton's method on the optimality conditions with `working` held; None unless it ends at an optimum.

    Steps avoid the directions in which nothing changes to second order, and those in which the force is less
    than `faint` of the largest.
    """
    n, last = len(here.x), math.inf
    for _ in range(12):
        h, spread, _diagonal = _lagrangian(here, c_multipliers, e_multipliers)
        frame = _Frame()
        kept: list[tuple[bool, int]] = []
        values: Vector = []
        for equal, i in [(True, i) for i in range(len(here.e))] + [(False, i) for i in working]:
            if frame.add(here.e_rows[i] if equal else here.c_rows[i], 1e-10):
                kept.append((equal, i))
                values.append(-(here.e[i] if equal else here.c[i]))
        d = frame.reach(values, n)
        free = frame.complement(n)
        if free:
            toward = [-(a + b) for a, b in zip(here.gradient, _times(h, d), strict=True)]
            reduced = [[_dot(z, hz) for hz in [_times(h, w) for w in free]] for z in free]
            scale = [_dot(z, _times(spread, z)) for z in [[abs(a) for a in z] for z in free]]
            right = [_dot(z, toward) for z in free]
            if faint:
                least = faint * _size(_residual(here, c_multipliers, e_multipliers)[1])
                right = [a if abs(a) > least else 0.0 for a in right]
            for z, weight in zip(free, _solve_flat(reduced, scale, right), strict=True):
                d = [a + weight * b for a, b in zip(d, z, strict=True)]
        size = _size(d)
        if not size <= 1e-3:
            return None
        force = [-(a + b) for a, b in zip(here.gradient, _times(h, d), strict=True)]
        weights = frame.combine([_dot(q, force) for q in frame.q])
        c_multipliers, e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
        for (equal, i), weight in zip(kept, weights, strict=True):
            (e_multipliers if equal else c_multipliers)[i] = weight
        if size >= 0.5 * last and size < 1e-8:
            break  # only rounding is left
        there = at([a + b for a, b in zip(here.x, d, strict=True)])
        if there is None:
            return None
        here, last = there, size
        if size <= 2e-16 * max(1.0, _size(here.x)):
            break
    if here.violation > FEASIBLE:
        return None
    diagonal = _lagrangian(here, c_multipliers, e_multipliers)[2]
    residual, terms = _residual(here, c_multipliers, e_multipliers)
    # multipliers are rounded to the largest of them, and spread that to each coordinate that their rows touch
    grain = 1e-14 * (_size(terms) + max(diagonal))
    held_rows = [here.e_rows[i] if equal else here.c_rows[i] for equal, i in kept]
    allowed = [
        1e-9 * (term + curve) + faint * _size(terms) + grain * sum(abs(row[i]) for row in held_rows)
        for i, (term, curve) in enumerate(zip(terms, diagonal, strict=True))
    ]
    if any(abs(r) > most for r, most in zip(residual, allowed, strict=True)):
        return None
    for i in working:
        if c_multipliers[i] < 0.0:
            if any(-c_multipliers[i] * abs(a) > most for a, most in zip(here.c_rows[i], allowed, strict=True)):
                return None
            c_multipliers[i] = 0.0
    return _Descent(here, c_multipliers, e_multipliers, "optimal", 0)


def _solve_flat(b: Matrix, scale: Vector, right: Vector) -> Vector:
    """A solution of b x = right that stays at zero where b is flat."""
    x = [0.0] * len(right)
    pivots, columns = _pivoted(b, scale)
    if pivots:
        lower = [[columns[j][p] for j in range(i + 1)] for i, p in enumerate(pivots)]
        for p, value in zip(pivots, _backward(lower, _forward(lower, [right[p] for p in pivots])), strict=True):
            x[p] = value
    return x


def _factor(
    h: Matrix, diagonal: Vector, g: Vector, left: Vector, damping: float, ballast: float, idle: float
) -> Matrix:
    """A Cholesky factor of the Hessian, lifted until it is positive definite.

    The lift is by coordinate, because a coordinate whose part in the goal is a billionth of another's must
    still move freely. It keeps the free minimum in proportion: it is a share of the force `left` by the
    multipliers at hand, and a far smaller one, `ballast`, of the whole. Coordinates without a part in the goal
    follow the others, and must not hold back the faintest; `idle` is their largest lift.
    """
    base = max(max(diagonal), 1e-2 * _size(g), 1e-290)
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
        lower = _cholesky(lifted)
        if lower is not None:
            return lower
        extra = 10.0 * extra or 1e-9
    return [[0.0] * i + [math.sqrt(base)] for i in range(len(g))]


def _descend(at: _At, here: _Local, *, damping: float, budget: int, enough: float = -math.inf) -> _Descent:
    """Minimise from a point; `enough` ends it early, once the goal is no more than that."""
    n = len(here.x)
    c_multipliers, e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
    first = here
    prices, steps = _Prices([0.0] * len(here.c), [0.0] * len(here.e), 0.0), 0
    damping *= _size(here.gradient)
    rays = ends = spoiled = 0
    proven, ballast = False, 1e-8
    while steps < budget and here.value > enough:
        steps += 1
        if isinstance(at, _Goal) and not at.suits(here):
            again = at(here.x)
            if again is None:
                break
            factor = _size(again.gradient) / (_size(here.gradient) or 1.0)
            here, damping = again, damping * factor
            prices.scale(factor)
            c_multipliers, e_multipliers = (
                [a * factor for a in c_multipliers],
                [a * factor for a in e_multipliers],
            )
        if isinstance(at, _Goal) and at.in_logs and here.value < VANISHED and here.violation <= FEASIBLE:
            return _Descent(here, c_multipliers, e_multipliers, "unbounded", steps)
        h, _, diagonal = _lagrangian(here, c_multipliers, e_multipliers)
        idle = 1e-6 * here.value if isinstance(at, _Elastic) else math.inf
        left, _ = _residual(here, c_multipliers, e_multipliers)
        lower = _factor(h, diagonal, here.gradient, left, damping, ballast, idle)
        step = _bounded(here, lower, here.c, here.e)
        if step is None:
            return _Descent(here, c_multipliers, e_multipliers, "inconsistent", steps)
        m = len(here.c)
        size = _size(step.d)
        if isinstance(at, _Elastic):
            proven = _least_violation(here, step.c_multipliers[:m]) > INFEASIBLE
            if proven and -step.d[-1] <= 1e-3 * here.x[-1] and size > 1e-6:
                break  # what is left to gain lies far away, such as the limit of a falling exponential
        settled = size <= 1e-6 and here.violation <= 1e-6
        if isinstance(at, _Elastic) and -step.d[-1] > 1e-3 * here.x[-1]:
            settled = False  # the violation still goes to nothing
        if settled:
            fence = step.c_multipliers[m:]
            _, terms = _residual(here, step.c_multipliers[:m], step.e_multipliers)
            if any(weight > MATTERS * terms[i % n] for i, weight in enumerate(fence)):
                return _Descent(here, step.c_multipliers[:m], step.e_multipliers, "unbounded", steps)
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
            if ballast > 1e-9 and isinstance(at, _Goal):  # a force may be faint beside others that balance
                ballast, damping = 1e-2 * ballast, 1e-2 * damping
                continue
            if rays <= n and isinstance(at, _Goal):
                rays += 1
                beyond = _ray(at, here, step.c_multipliers[:m], step.e_multipliers)
                if beyond is not None:
                    here = beyond
                    if _size(here.x) >= FAR:
                        return _Descent(here, step.c_multipliers[:m], step.e_multipliers, "unbounded", steps)
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
            shifted_c = [a - _dot(row, step.d) for a, row in zip(there.c, here.c_rows, strict=True)]
            shifted_e = [a - _dot(row, step.d) for a, row in zip(there.e, here.e_rows, strict=True)]
            second = _bounded(here, lower, shifted_c, shifted_e)
            if second is not None:
                corrected = at([a + b for a, b in zip(here.x, second.d, strict=True)])
                if corrected is not None:
                    better = _ratio(here, corrected, h, second.d, prices, step.d)
                    if better > ratio:
                        there, ratio, step.d = corrected, better, second.d
        if there is None or ratio < 1e-4:
            length = _dot(step.d, step.d) or 1e-300
            bend = 0.5 * _dot(step.d, _times(h, step.d)) / length
            pull = 0.1 * abs(_dot(here.gradient, step.d)) / length
            damping = max(8.0 * damping, bend, pull)
            if size <= 1e-14 or not damping < 1e280:
                break
            spoiled += 1
            if spoiled > 4 and here.violation > FEASIBLE:  # damping does not shorten the way back
                return _Descent(here, c_multipliers, e_multipliers, "inconsistent", steps)
            continue
        ends = spoiled = 0
        if ratio > 0.7:
            damping *= 0.1
        elif ratio < 0.25:
            damping *= 4.0
        c_multipliers, e_multipliers = new_c, new_e
        here = there if isinstance(at, _Elastic) else _stride(at, here, there, step.d)
        damping = min(damping, here.value if isinstance(at, _Elastic) else _size(here.gradient))
    end = _Descent(here, c_multipliers, e_multipliers, "enough" if here.value <= enough else "stalled", steps)
    ran = max((abs(a - b) for a, b in zip(here.x, first.x, strict=True)), default=0.0)
    if proven and end.outcome == "stalled":
        end.outcome = "optimal"
    died = _size(here.gradient) + max(here.spread) <= 1e-20 * _size(first.gradient)
    if isinstance(at, _Goal) and ran > 100.0 and here.violation <= FEASIBLE and died:
        end.outcome = "unbounded"  # all that is left of the goal is a constant that it never reaches
    return end


def _least_violation(here: _Local, weights: Vector) -> float:
    """A bound from below on the violation in all of |x| <= 1e3, from the multipliers of `_Elastic`.

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


def _bounded(here: _Local, lower: Matrix, c: Vector, e: Vector) -> _Step | None:
    """The quadratic program around a point, fenced in to |x| <= 1e3 by extra rows where it would leave."""
    step = _quadratic(here.gradient, lower, e, here.e_rows, c, here.c_rows)
    if step is None or all(abs(a + b) <= FAR for a, b in zip(here.x, step.d, strict=True)):
        return step
    n = len(here.x)
    fence = [[sign * (i == j) for j in range(n)] for sign in (1.0, -1.0) for i in range(n)]
    room = [a - FAR for a in here.x] + [-a - FAR for a in here.x]
    return _quadratic(here.gradient, lower, e, here.e_rows, c + room, here.c_rows + fence)


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

    def __call__(self, at: _Local) -> float:
        total = self.most * max(0.0, at.violation - BENT)
        for price, over in zip(self.c, at.c, strict=True):
            if over > 1e-11:
                total += price * over
        for price, over in zip(self.e, at.e, strict=True):
            if abs(over) > 1e-11:
                total += price * abs(over)
        return total


def _ratio(here: _Local, there: _Local, h: Matrix, d: Vector, prices: _Prices, planned: Vector | None = None) -> float:
    """What a step gained in goal and priced violations, relative to what the quadratic program promised."""
    fell = here.value - there.value
    if abs(fell) <= 1e-7 * max(abs(here.value), abs(there.value)):
        # a difference of values would be rounding; gradients are good to the last digit
        moved = [b - a for a, b in zip(here.x, there.x, strict=True)]
        fell = -0.5 * (_dot(here.gradient, moved) + _dot(there.gradient, moved))
    # where it still falls at the end, a quasiconvex goal has fallen, by more than that where it is convex
    fell = max(fell, -_dot(there.gradient, [b - a for a, b in zip(here.x, there.x, strict=True)]))
    before, after = prices(here), prices(there)
    along = d if planned is None else planned
    promised = before - _dot(here.gradient, along) - 0.5 * _dot(along, _times(h, along))
    gained = fell + before - after
    if not promised > 0.0:
        return 1.0 if there.violation <= here.violation else -1.0  # all it does is to mend feasibility
    return gained / promised


def _stride(at: _At, here: _Local, there: _Local, d: Vector) -> _Local:
    """Go on doubling a step for as long as the goal keeps falling inside the constraints.

    On an exponential tail Newton's steps stay as long as they were; this crosses it in their logarithm.
    """
    if not _dot(there.gradient, d) < 0.2 * _dot(here.gradient, d) < 0.0 or there.violation > FEASIBLE:
        return there
    for c, row in zip(there.c, there.c_rows, strict=True):
        if c + _dot(row, d) > 1e-12:
            return there
    times = 2.0
    while times < 1e12:
        x = [a + times * b for a, b in zip(here.x, d, strict=True)]
        if _size(x) > FAR:
            break
        beyond = at(x)
        if beyond is None or beyond.violation > 1e-11 or not _dot(beyond.gradient, d) < 0.0:
            break
        there, times = beyond, 2.0 * times
    return there


def _ray(at: _At, here: _Local, c_multipliers: Vector, e_multipliers: Vector) -> _Local | None:
    """Follow a coordinate whose force is too faint to show beside the others, to where something stops it.

    None where no coordinate is unbalanced on its own scale or none can move.
    """
    residual, terms = _residual(here, c_multipliers, e_multipliers)
    diagonal = _lagrangian(here, c_multipliers, e_multipliers)[2]
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


# All goals.


def _held(here: _Local, c_multipliers: Vector, e_multipliers: Vector, fixed: Matrix) -> Matrix:
    """Orthonormal rows across the directions in which an optimum may move and stay one.

    At the minimum of a convex analytic goal those are where every constraint with a multiplier stays as it is
    and the Lagrangian has no curvature; and there they are straight lines, not just to second order.
    """
    n = len(here.x)
    h, spread, diagonal = _lagrangian(here, c_multipliers, e_multipliers)
    _, terms = _residual(here, c_multipliers, e_multipliers)
    floor = 1e-15 * max(_size(here.gradient), 1e-3 * max(diagonal))
    frame = _Frame()
    for row in fixed:
        frame.add(row, 1e-9)
    for weights, rows in ((e_multipliers, here.e_rows), (c_multipliers, here.c_rows)):
        for weight, row in zip(weights, rows, strict=True):
            force = [abs(weight * a) for a in row]
            if _size(force) > floor and any(a > 1e-10 * b for a, b in zip(force, terms, strict=True)):
                frame.add(row, 1e-9)
    free = frame.complement(n)
    if free:
        reduced = [[_dot(z, hz) for hz in [_times(h, w) for w in free]] for z in free]
        scale = [_dot(z, _times(spread, z)) for z in [[abs(a) for a in z] for z in free]]
        for column in _pivoted(reduced, scale)[1]:
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


def _feasible_start(
    x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], budget: int
) -> tuple[Vector, float, int, bool]:
    """A point of least violation, that violation, the steps taken, and whether it is proven."""
    elastic = _Elastic(inequalities, equalities)
    here = elastic([*x, 0.0])
    if here is None:
        return x, math.inf, 0, False
    if here.x[-1] <= 1e-11:
        return x, here.x[-1], 0, True
    end = _descend(elastic, here, damping=1e-3, budget=budget, enough=1e-11)
    found = end.here.x
    return found[:-1], found[-1], end.steps, end.outcome in ("optimal", "unbounded", "enough")


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
        fixed: list[Smooth] = [linear(row, -_dot(row, x)) for row in held]
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
        found = _evaluate(goal, tuple(x))
        size = 1.0
        if found is not None:
            size = (_size(found[1]) / (_size(end.here.gradient) or 1.0)) if _size(end.here.gradient) else 1.0
            # the value may be zero, and the gradient too; the curvature tells then what a small step is worth
            scale = abs(found[0]) + _size(found[1]) + max(map(_size, found[2]))
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


def _usable(
    goals: Sequence[Smooth], inequalities: Sequence[Smooth], equalities: Sequence[Smooth], start: Point
) -> Vector:
    """The start, or a point nearer to the origin where functions have values."""
    x = [max(-FAR, min(FAR, a)) if math.isfinite(a) else 0.0 for a in start]
    for _ in range(12):
        if all(_evaluate(f, tuple(x)) is not None for f in (goals[0], *inequalities, *equalities)):
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
) -> tuple[_Descent | None, int]:
    """One goal minimised from a feasible point, restoring feasibility where a step lost it; and the steps."""
    steps = 0
    end: _Descent | None = None
    for _ in range(8):
        at = _Goal(goal, inequalities, equalities, slack)
        here = at(x)
        if here is None:
            at.in_logs = False
            here = at(x)
        if here is None:
            return end, steps
        end = _descend(at, here, damping=0.1, budget=budget)
        steps += end.steps
        if end.outcome == "stalled" and end.here.violation <= FEASIBLE and _stationary(end):
            end.outcome = "optimal"
        if end.outcome != "inconsistent":
            return end, steps
        x, least, used, _ = _feasible_start(end.here.x, inequalities, equalities, budget)
        steps += used
        slack = max(slack, least if 1e-11 < least <= INFEASIBLE else 0.0)
    return end, steps


def _stationary(end: _Descent) -> bool:
    """Whether the optimality conditions hold to what arithmetic allowed, where no more could be gained."""
    residual, terms = _residual(end.here, end.c_multipliers, end.e_multipliers)
    diagonal = _lagrangian(end.here, end.c_multipliers, end.e_multipliers)[2]
    loose = [a * -b for a, b in zip(end.c_multipliers, end.here.c, strict=True) if a > 0.0]
    whole = max(map(sum, zip(terms, diagonal, strict=True)), default=0.0)
    return max(loose, default=0.0) <= 1e-6 * whole and all(
        abs(r) <= 1e-6 * (term + curve) for r, term, curve in zip(residual, terms, diagonal, strict=True)
    )


def _spoils(reached: list[tuple[Smooth, float, float]], x: Vector) -> bool:
    for goal, value, scale in reached:
        found = _evaluate(goal, tuple(x))
        if found is None or found[0] > value + 1e-9 * scale:
            return True
    return False


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
    found = _evaluate(goal, point)
    limits = _constraints(x, inequalities, equalities, 0.0)
    if limits is None or found is None:
        return Optimum(point, math.nan, tuple(multipliers), (), (), outcome or "gave-up", math.inf, steps)
    c, c_rows, violation = limits[0], limits[1], limits[6]
    f, g, h = found
    least = MATTERS * max(_size(g), 1e-4 * max((abs(row[i]) for i, row in enumerate(h)), default=0.0))
    active = tuple(i for i, a in enumerate(c) if abs(a) <= FEASIBLE)
    binding = tuple(i for i, a in enumerate(multipliers) if a * _size(c_rows[i]) > least and a > 0.0)
    if outcome == "optimal" and violation > 1.01 * FEASIBLE:
        outcome = "gave-up"  # nothing better is in reach of the arithmetic, and nothing is proven
    if outcome is None:
        outcome = "optimal" if violation <= FEASIBLE else "infeasible"
    return Optimum(point, f, tuple(multipliers), active, binding, outcome, violation, steps)
