"""A trial step to what it gained: an exact penalty function, and its actual reduction over the predicted one."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.engine.numeric.algebra import Matrix, Vector, dot, times
from runplan.engine.numeric.local import Local

# Violations up to this, on the way, are put down to the curvature of a constraint: a step along the tangent of a
# constraint with curvature 1 that is 0.14 long leaves it by 1e-2.
BENT = 1e-2
# A violation below this is the rounding of a sum of logarithms of size 100, and costs nothing.
UNPRICED = 1e-11
# The exact l1 penalty needs weights above the multipliers (Nocedal & Wright 2006, theorem 17.3). Twice leaves room
# for multipliers that change from one step to the next; weights fall by no more than half a step, so that two
# steps that take turns do not undo each other.
MARGIN, FADE = 2.0, 0.5
# Of values that agree to seven digits the difference has nine at most, and soon none, while the last good steps gain
# ever less: they would be refused for rounding. Their gradients still tell.
INDISTINCT = 1e-7


@dataclass(slots=True)
class Penalties:
    """The weights of violations in the merit function: at least twice the multiplier of each constraint.

    One weight for the worst of all would stop a faint force from moving along a curved constraint, as soon as
    another constraint has a large multiplier; that one is paid only for violations that are more than curvature.
    """

    c: Vector
    e: Vector
    worst: float = 0.0

    def follow(self, c_multipliers: Vector, e_multipliers: Vector) -> None:
        """Raise the weights above new multipliers, or let them fade towards these."""
        self.c = [max(MARGIN * a, FADE * b) for a, b in zip(c_multipliers, self.c, strict=True)]
        self.e = [max(MARGIN * abs(a), FADE * b) for a, b in zip(e_multipliers, self.e, strict=True)]
        self.worst = max(MARGIN * (sum(c_multipliers) + sum(map(abs, e_multipliers))), FADE * self.worst)

    def scale(self, factor: float) -> None:
        """Follow an objective that is multiplied by a factor."""
        self.c, self.e = [factor * a for a in self.c], [factor * a for a in self.e]
        self.worst *= factor

    def __call__(self, at: Local) -> float:
        """What the violations at a point cost, in units of the objective."""
        total = self.worst * max(0.0, at.violation - BENT)
        for weight, over in zip(self.c, at.c, strict=True):
            if over > UNPRICED:
                total += weight * over
        for weight, over in zip(self.e, at.e, strict=True):
            if abs(over) > UNPRICED:
                total += weight * abs(over)
        return total


def reduction_ratio(here: Local, there: Local, h: Matrix, planned: Vector, penalties: Penalties) -> float:
    """The actual reduction of the merit function over the one predicted for the step `planned` (Hessian `h`)."""
    moved = [b - a for a, b in zip(here.x, there.x, strict=True)]
    fell = here.value - there.value
    if abs(fell) <= INDISTINCT * max(abs(here.value), abs(there.value)):
        # a difference of values would be rounding; gradients are good to the last digit (trapezoidal rule)
        fell = -0.5 * (dot(here.gradient, moved) + dot(there.gradient, moved))
    # where it still falls at the end, a quasiconvex objective has fallen, by more than that where it is convex
    fell = max(fell, -dot(there.gradient, moved))
    before, after = penalties(here), penalties(there)
    promised = before - dot(here.gradient, planned) - 0.5 * dot(planned, times(h, planned))
    if not promised > 0.0:
        return 1.0 if there.violation <= here.violation else -1.0  # all it does is to mend feasibility
    return (fell + before - after) / promised
