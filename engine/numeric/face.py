"""An optimum to what a later objective must keep to, so that it stays one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

from runplan.dsl.dataclass import dataclass, field
from runplan.engine.numeric.algebra import Frame, Matrix, Vector, dot, pivoted, size_of, times
from runplan.engine.numeric.descent import Descent
from runplan.engine.numeric.local import lagrangian, residual_of
from runplan.engine.numeric.newton import reduced_hessian

# A row that adds less than this share of its length to the rows held says what they say (as in `quadratic`).
REPEATED = 1e-9
# A multiplier holds its row where its force is above rounding, 1e-15 of the gradient (where there is none, of a
# thousandth of the curvature), and in some coordinate above this share of the forces that balance there.
HELD, FLAT, SHARE = 1e-15, 1e-3, 1e-10
# A constraint bends along a direction that the optimum may move in where its part of the Lagrangian's curvature is
# more than this share of all parts, of which `pivoted` has found the sum to be below 1e-11.
BENDS = 1e-6


@dataclass(frozen=True, slots=True)
class Face:
    """The minimisers of the objectives so far, around the last point found.

    Attributes:
        rows: Orthonormal rows (k): across them nothing may move, in a straight line.
        bent: Inequalities that are to hold as equalities, because the minimisers are a curved surface on them.
    """

    rows: Matrix = field(default_factory=list)
    bent: Set[int] = frozenset()

    @property
    def rank(self) -> int:
        """How many of the k directions are decided."""
        return len(self.rows) + len(self.bent)


def face(end: Descent, before: Face) -> Face:
    """The minimisers around the end of a descent whose last equalities were the rows and the bent of `before`.

    At the minimum of a convex analytic objective they are where every constraint with a multiplier stays as it is
    and the Lagrangian has no curvature; and there they are straight lines, not just to second order. The curvature
    of a constraint with a multiplier is part of the Lagrangian's then, so a direction without the one is without the
    other. Where a sum is maximised up to a limit on the same sum the two cancel, and the minimisers are a surface.
    """
    rows, free = _rows(end, before.rows, before.bent, len(before.bent))
    bent = before.bent | _bending(end, free)
    if len(bent) > len(before.bent):
        rows, _ = _rows(end, before.rows, bent, len(before.bent))
    return Face(rows, bent)


def _rows(end: Descent, held: Matrix, bent: Set[int], bent_before: int) -> tuple[Matrix, Matrix]:
    """The straight rows, and a basis of the directions that are left."""
    here, n = end.here, len(end.here.x)
    h, spread, _ = lagrangian(here, end.c_multipliers, end.e_multipliers)
    frame = Frame()
    for row in [*held, *_pressed(end, bent, bent_before)]:
        frame.add(row, REPEATED)
    straight = len(frame.q)
    for i in sorted(bent):
        frame.add(here.c_rows[i], REPEATED)
    across = len(frame.q)
    free = frame.complement(n)
    if free:
        for column in pivoted(*reduced_hessian(h, spread, free))[1]:
            frame.add(_combined(column, free, n), REPEATED)
    return frame.q[:straight] + frame.q[across:], frame.complement(n)


def _combined(weights: Vector, rows: Matrix, n: int) -> Vector:
    total = [0.0] * n
    for weight, row in zip(weights, rows, strict=True):
        total = [a + weight * b for a, b in zip(total, row, strict=True)]
    return total


def pressing(end: Descent) -> frozenset[int]:
    """The inequalities that have a multiplier at the end of a descent."""
    presses = _presses(end)
    rows = zip(end.c_multipliers, end.here.c_rows, strict=True)
    return frozenset(i for i, (weight, row) in enumerate(rows) if presses(weight, row))


def _pressed(end: Descent, bent: Set[int], bent_before: int) -> Iterator[Vector]:
    """The gradients of the constraints that have a multiplier, but for those that are bent."""
    here, presses = end.here, _presses(end)
    last = len(here.e) - bent_before
    for weight, row in zip(end.e_multipliers[:last], here.e_rows[:last], strict=True):
        if presses(weight, row):
            yield row
    for i in sorted(pressing(end) - bent):
        yield here.c_rows[i]


def _presses(end: Descent) -> Callable[[float, Vector], bool]:
    """Whether the force of a row with a multiplier is above rounding."""
    here = end.here
    _, terms = residual_of(here, end.c_multipliers, end.e_multipliers)
    diagonal = lagrangian(here, end.c_multipliers, end.e_multipliers)[2]
    floor = HELD * max(size_of(here.gradient), FLAT * max(diagonal, default=0.0))

    def presses(weight: float, row: Vector) -> bool:
        force = [abs(weight * a) for a in row]
        return size_of(force) > floor and any(a > SHARE * b for a, b in zip(force, terms, strict=True))

    return presses


def _bending(end: Descent, free: Sequence[Vector]) -> Set[int]:
    """The inequalities with a multiplier that curve along free directions."""
    _, spread, _ = lagrangian(end.here, end.c_multipliers, end.e_multipliers)
    parts = [([abs(a) for a in z], z) for z in free]
    scales = [dot(size, times(spread, size)) for size, _ in parts]
    return {
        i
        for i, (weight, curve) in enumerate(zip(end.c_multipliers, end.here.c_curves, strict=True))
        if weight
        and any(
            abs(weight * dot(z, times(curve, z))) > BENDS * scale for (_, z), scale in zip(parts, scales, strict=True)
        )
    }
