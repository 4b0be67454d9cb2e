"""Constraints to a point that satisfies them, or to the weights that prove that there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass
from runplan.engine.numeric.algebra import Vector, size_of
from runplan.engine.numeric.descent import MATTERS, made_feasible
from runplan.engine.numeric.local import STEEP, Elastic, Smooth, limits_at
from runplan.engine.numeric.subproblem import FAR

# A violation below this is the rounding of a sum of logarithms of size 100.
ROUNDING = 1e-11


@dataclass(frozen=True, slots=True)
class Certificate:
    """Weights under which constraints contradict each other: a proof that no point satisfies them all.

    With weights y >= 0 of the inequalities c_i(x) <= 0 and z of the equalities e_j(x) = 0, |y| and |z| summing to 1,

        sum of y_i c_i(x) + sum of z_j e_j(x) >= bound > 0    for every |x| <= 1e3,

    where a point that satisfies them would make it <= 0. So some constraint is off by at least `bound` everywhere, and
    those of weight zero have no part in it: the others, the *support*, cannot hold together. For lines this is
    Farkas' lemma, and without any one of the support the others can (their rows have one linear dependence, that of
    the weights), unless it is beyond |x| <= 1e3. For convex constraints it is the theorem of alternatives (Boyd &
    Vandenberghe 2004, section 5.8), and some of the support may still be needless.

    The weights are the multipliers of the least violation. For constraints that are not convex they say only that no
    small change of x lessens it.

    Attributes:
        inequalities: y (m), one for each inequality.
        equalities: z (p), one for each equality; positive where e_j > 0 at the point of least violation.
        bound: A bound from below on max(c_i, |e_j|) over |x| <= 1e3, to rounding.
    """

    inequalities: tuple[float, ...]
    equalities: tuple[float, ...]
    bound: float

    @property
    def support(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The inequalities, and the equalities, that cannot hold together."""
        return (
            tuple(i for i, y in enumerate(self.inequalities) if y),
            tuple(j for j, z in enumerate(self.equalities) if z),
        )


@dataclass(frozen=True, slots=True)
class PhaseOne:
    """The point of least violation that was found.

    Attributes:
        x: The point (k).
        violation: max(c_i, |e_j|, 0) there; inf where constraints have no value.
        proven: Whether it is no more than rounding, or known to be the least.
        certificate: Of a violation that is proven.
        steps: Quadratic programs solved.
    """

    x: Vector
    violation: float
    proven: bool
    certificate: Certificate | None
    steps: int


def phase_one(x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], budget: int) -> PhaseOne:
    """The least violation, from a point (k), in at most `budget` quadratic programs."""
    elastic = Elastic(inequalities, equalities)
    here = elastic([*x, 0.0])
    if here is None:
        return PhaseOne(x, math.inf, False, None, 0)
    if here.x[-1] <= ROUNDING:
        return PhaseOne(x, here.x[-1], True, None, 0)
    end = made_feasible(elastic, here, budget, ROUNDING)
    *x, violation = end.here.x
    proven = end.outcome in ("optimal", "unbounded", "enough")
    certificate = None
    if proven and violation > ROUNDING:
        certificate = certified(x, inequalities, equalities, *elastic.split(end.c_multipliers))
    return PhaseOne(x, violation, proven, certificate, end.steps)


def certified(
    x: Vector, inequalities: Sequence[Smooth], equalities: Sequence[Smooth], y: Vector, z: Vector
) -> Certificate | None:
    """Multipliers of the least violation at x (k) as a certificate; None where they weigh nothing."""
    limits = limits_at(x, inequalities, equalities, 0.0)
    if limits is None:
        return None
    c, c_rows, _, e, e_rows, _, _ = limits
    # phase one compares steep violations by their logarithms; the tangent of those is this much flatter
    y = [weight * (STEEP / over if over > STEEP else 1.0) for weight, over in zip(y, c, strict=True)]
    forces = [abs(weight) * size_of(row) for weight, row in zip(y + z, c_rows + e_rows, strict=True)]
    # A constraint without a slope is never met; its weight is all that it has.
    heaviest, strongest = size_of(y + z), max(forces, default=0.0)
    weights = [
        weight if force > MATTERS * strongest or (not force and abs(weight) > MATTERS * heaviest) else 0.0
        for weight, force in zip(y + z, forces, strict=True)
    ]
    total = sum(map(abs, weights))
    if not 0.0 < total < math.inf:
        return None
    weights = [weight / total for weight in weights]
    bound = sum(weight * off for weight, off in zip(weights, c + e, strict=True))
    for j, at in enumerate(x):
        slope = sum(weight * row[j] for weight, row in zip(weights, c_rows + e_rows, strict=True))
        bound -= abs(slope) * (FAR + abs(at))
    return Certificate(tuple(weights[: len(c)]), tuple(weights[len(c) :]), bound)
