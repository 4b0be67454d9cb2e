"""Small dense linear algebra in plain Python: factors, solutions, orthonormal frames of rows; roots of one number.

Vectors are lists; nothing is changed in place but by its owner. Importing numpy would cost more than the few
variables of a plan take to solve.
"""

from __future__ import annotations

import math
from operator import mul

Vector = list[float]
Matrix = list[list[float]]
# Pivots of a matrix with unit diagonal below this are rounding: 1e5 times what a sum of a few terms leaves, since what
# is factored is itself a sum of curvatures that may cancel.
NOISE = 1e-11
# A pivot below this share of its diagonal is no longer positive but by rounding.
POSITIVE = 1e-15


def dot(a: Vector, b: Vector) -> float:
    """a'b, of vectors of one length."""
    return sum(map(mul, a, b), 0.0)


def size_of(a: Vector) -> float:
    """The largest entry by magnitude; 0 for none."""
    return max(map(abs, a), default=0.0)


def times(matrix: Matrix, a: Vector) -> Vector:
    """The matrix (m, n) on a vector (n)."""
    return [dot(row, a) for row in matrix]


def cholesky(h: Matrix) -> Matrix | None:
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
            elif total > POSITIVE * source[i]:
                row.append(math.sqrt(total))
            else:
                return None
        lower.append(row)
    return lower


def forward(lower: Matrix, b: Vector) -> Vector:
    """L^-1 b."""
    x: Vector = []
    for row, right in zip(lower, b, strict=True):
        total = right
        for u, w in zip(row, x, strict=False):
            total -= u * w
        x.append(total / row[-1])
    return x


def backward(lower: Matrix, b: Vector) -> Vector:
    """L'^-1 b."""
    x = list(b)
    for i in reversed(range(len(b))):
        row = lower[i]
        x[i] /= row[i]
        for j in range(i):
            x[j] -= row[j] * x[i]
    return x


def _across(frame: Matrix, a: Vector) -> Vector:
    """What is left of a vector (n) across orthonormal rows, one after the other; to rounding, where little is."""
    for q in frame:
        along = dot(q, a)
        if along:
            a = [u - along * w for u, w in zip(a, q, strict=True)]
    return a


class Frame:
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
                along = dot(q, rest)
                if not along:
                    continue
                parts[j] += along
                rest = [u - along * w for u, w in zip(rest, q, strict=True)]
        return parts, rest, math.sqrt(dot(rest, rest))

    def add(self, a: Vector, least: float) -> bool:
        """Take in a row, unless less than `least` of its length is new."""
        parts, rest, length = self.split(a)
        if not length > least * math.sqrt(dot(a, a)):
            return False
        self.append(parts, rest, length)
        return True

    def append(self, parts: Vector, rest: Vector, length: float) -> None:
        """Take in the row of which `split` gave these."""
        self.q.append([u / length for u in rest])
        self.parts.append([*parts, length])

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
        for weight, q in zip(forward(self.parts, values), self.q, strict=True):
            d = [u + weight * w for u, w in zip(d, q, strict=True)]
        return d

    def complement(self, n: int) -> Matrix:
        """An orthonormal basis of the directions (n) across all rows, along axes where it can be."""
        whole = Frame()
        whole.q = list(self.q)
        axes = {i: [float(j == i) for j in range(n)] for i in range(n)}
        left = {i: _across(whole.q, axis) for i, axis in axes.items()}
        while len(whole.q) < n:
            i = max(left, key=lambda i: dot(left[i], left[i]))
            del left[i]
            _, rest, length = whole.split(axes[i])
            whole.q.append([u / length for u in rest])
            left = {j: _across(whole.q[-1:], rest) for j, rest in left.items()}
        # rounding would give a direction a part, however small, in a coordinate that is far more curved
        return [[u if abs(u) > 1e-14 else 0.0 for u in z] for z in whole.q[len(self.q) :]]


def pivoted(b: Matrix, scale: Vector) -> tuple[list[int], Matrix]:
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


def solve_flat(b: Matrix, scale: Vector, right: Vector) -> Vector:
    """A solution of b x = right that stays at zero where b is flat."""
    x = [0.0] * len(right)
    pivots, columns = pivoted(b, scale)
    if pivots:
        lower = [[columns[j][p] for j in range(i + 1)] for i, p in enumerate(pivots)]
        for p, value in zip(pivots, backward(lower, forward(lower, [right[p] for p in pivots])), strict=True):
            x[p] = value
    return x
