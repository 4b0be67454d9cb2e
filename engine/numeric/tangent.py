"""An optimum to how it moves with the parameters of its problem: one derivative of the optimality conditions.

What holds an optimum in place are the constraints with a multiplier, and across them the curvature of the Lagrangian:
first that of the first objective, then, where that is flat, that of the next one. Each of these conditions is an
equation in the point and the parameters; differentiated they are one linear system, with a right side a parameter
(Fiacco, Introduction to Sensitivity and Stability Analysis in Nonlinear Programming, 1983, theorem 3.2.2).

Where more constraints are active than hold it, the optimum has another derivative to each side. This is the one of the
sides on which the others stay kept; which these are is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from runplan.dsl.dataclass import dataclass, field
from runplan.engine.numeric.algebra import Frame, Matrix, Vector, dot, pivoted, times
from runplan.engine.numeric.local import Point, Smooth
from runplan.engine.numeric.newton import reduced_hessian
from runplan.engine.numeric.quadratic import FEASIBLE

# A row that adds less than this share of its length to those held says what they say (as in `face`).
REPEATED = 1e-9
# A constraint that moves slower than this with a parameter, relatively, is not moved by it.
STAYS = 1e-9

_Taylor = tuple[float, Vector, Matrix]


@dataclass(frozen=True, slots=True)
class Tangent:
    """How an optimum moves with each of p parameters.

    Attributes:
        moves: Its derivative (p, k).
        up, down: The parameters with which that derivative is not the one for more, or for less, of them: a constraint
            that does not hold the optimum, and is at its limit, would be broken.
    """

    moves: Matrix
    up: Set[int]
    down: Set[int]


def tangent(
    objectives: Sequence[Smooth],
    inequalities: Sequence[Smooth],
    equalities: Sequence[Smooth],
    held: Sequence[Set[int]],
    x: Point,
    parameters: Point,
) -> Tangent:
    """The derivative of an optimum by the parameters.

    Args:
        objectives: Functions of the variables (k) and, behind them, the parameters (p); as `minimise` had them.
        held: For each objective the inequalities that have a multiplier of it, as `Optimum.held` has them; of
            objectives beyond these nothing was left to decide.
        x: The optimum (k).
    """
    point = (*x, *parameters)
    c, e = ([f(point) for f in functions] for functions in (inequalities, equalities))
    conditions = _Conditions(len(x), len(parameters))
    for row in e:
        conditions.hold(row)
    for objective, own in zip(objectives, held, strict=False):
        for i in sorted(own):
            conditions.hold(c[i])
        conditions.curve(objective(point))
    moves = list(conditions.moves())
    kept = [row for row in c if abs(row[0]) <= FEASIBLE and not any(row is one for one in conditions.held)]
    rises = [[_rise(row, move, len(x) + j, len(x)) for row in kept] for j, move in enumerate(moves)]
    up, down = (
        frozenset(j for j, of in enumerate(rises) if any(sign * rise > STAYS for rise in of)) for sign in (1.0, -1.0)
    )
    return Tangent(moves, up, down)


def _rise(row: _Taylor, move: Vector, parameter: int, k: int) -> float:
    """How fast a constraint rises with a parameter, itself and with the optimum."""
    return dot(row[1][:k], move) + row[1][parameter]


@dataclass(slots=True)
class _Conditions:
    """Equations n'dx = r'dt between a move of the point (k) and of the parameters (p), the rows n independent.

    Attributes:
        held: The constraints among them; None for a condition of curvature.
        right: For each row its r (p).
    """

    k: int
    p: int
    held: list[_Taylor | None] = field(default_factory=list)
    right: Matrix = field(default_factory=list)
    frame: Frame = field(default_factory=Frame)

    def _take(self, of: _Taylor | None, row: Vector, right: Vector) -> None:
        if self.frame.add(row, REPEATED):
            self.held.append(of)
            self.right.append(right)

    def hold(self, constraint: _Taylor) -> None:
        """A constraint that stays at its limit."""
        gradient = constraint[1]
        self._take(constraint, gradient[: self.k], [-a for a in gradient[self.k :]])

    def curve(self, objective: _Taylor) -> None:
        """The Lagrangian of an objective stays stationary in the directions that are left, as far as it curves."""
        k, p = self.k, self.p
        free = self.frame.complement(k)
        if not free:
            return
        force = [-a for a in objective[1][:k]]
        weights = self.frame.combine([dot(q, force) for q in self.frame.q])
        parts = [(1.0, objective[2])]
        parts += [(weight, of[2]) for weight, of in zip(weights, self.held, strict=True) if of is not None and weight]
        whole = [[sum(weight * h[i][j] for weight, h in parts) for j in range(k + p)] for i in range(k)]
        spread = [[sum(abs(weight * h[i][j]) for weight, h in parts) for j in range(k)] for i in range(k)]
        h = [row[:k] for row in whole]
        for column in pivoted(*reduced_hessian(h, spread, free))[1]:
            v = [sum(weight * z[i] for weight, z in zip(column, free, strict=True)) for i in range(k)]
            self._take(None, times(h, v), [-sum(v[i] * whole[i][k + j] for i in range(k)) for j in range(p)])

    def moves(self) -> Iterator[Vector]:
        """The move of the point with each parameter; along what nothing decides it stays."""
        for j in range(self.p):
            yield self.frame.reach([right[j] for right in self.right], self.k)
