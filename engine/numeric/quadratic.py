"""A strictly convex quadratic program to its step and multipliers, by a dual active-set method.

D. Goldfarb, A. Idnani, "A numerically stable dual method for solving strictly convex quadratic programs",
Mathematical Programming 27 (1983) 1-33.
"""

from __future__ import annotations

import math

from runplan.dsl.dataclass import dataclass, field
from runplan.engine.numeric.algebra import Frame, Matrix, Vector, backward, dot, forward, size_of

# What a constraint may be off. Constraints are logarithms of ratios, so this is relative: far below the digits that
# plans are written with, and 1e5 times the rounding of a sum of logarithms near 100.
FEASIBLE = 1e-9
# A row whose part across the rows held is shorter than this share of it depends on them. Its multiplier would be
# amplified by the inverse square, 1e18, to where nothing of it is left in double precision.
DEPENDENT = 1e-9
# A dependent row that is off by less than this is passed over: a little less than FEASIBLE, so that rounding on top
# of it still ends feasible.
PASSED_OVER = 0.9 * FEASIBLE
# A row counts as violated beyond 1e-12 and what rounding makes of a row of its size (two units in the last place of
# each product with the step).
VIOLATED, ROUNDING = 1e-12, 4e-16
# A multiplier that falls slower than this while a row is taken in does not fall: the rate is rounding.
FALLS = 1e-14
# Corrections of the held rows after the last row is in: one takes out the rounding of a far free minimum, the second
# confirms it.
CORRECTIONS = 2


@dataclass(slots=True)
class Step:
    """The solution of a quadratic program.

    Attributes:
        d: The step (n).
        c_multipliers: Multipliers (m) of the inequalities, >= 0.
        e_multipliers: Multipliers (p) of the equalities.
        working: The inequalities held as equalities.
        box: Multipliers of the ends of a box around the problem; see `subproblem.solved_in_box`.
    """

    d: Vector
    c_multipliers: Vector
    e_multipliers: Vector
    working: list[int]
    box: Vector = field(default_factory=list)


def quadratic(g: Vector, lower: Matrix, e: Vector, e_rows: Matrix, c: Vector, c_rows: Matrix) -> Step | None:
    """Minimise g'd + d'L L'd/2 under e + E d = 0 and c + C d <= 0; None where nothing satisfies these.

    Args:
        g: The gradient (n) of the objective.
        lower: L (n, n), a Cholesky factor of its Hessian.
        e: Values (p) of the equalities.
        e_rows: Their gradients E (p, n).
        c: Values (m) of the inequalities.
        c_rows: Their gradients C (m, n).
    """
    method = _DualMethod(g, lower, e_rows + c_rows, e + c, len(e))
    if not method.run():
        return None
    c_multipliers, e_multipliers = method.multipliers()
    return Step(method.d, c_multipliers, e_multipliers, method.working())


class _DualMethod:
    """The state of the dual method: the step, the rows held, and their multipliers.

    From the free minimum, violated rows are taken in one at a time, and those let go whose multiplier would turn
    negative: every iterate is the minimum over the rows held, and the objective rises until all rows are met. In the
    coordinates y = L'd the objective is a distance, so all that is kept is an orthonormal frame of the rows held.
    Rows are numbered with the equalities first; equalities are taken in first and never let go.
    """

    def __init__(self, g: Vector, lower: Matrix, rows: Matrix, values: Vector, equalities: int) -> None:
        self.lower = lower
        self.rows = rows
        self.values = values
        self.equalities = equalities
        self.d = backward(lower, [-a for a in forward(lower, g)])
        self.sizes = [size_of(row) for row in rows]
        self.allowed: Vector = []
        self._allow_rounding()
        self.whitened: dict[int, Vector] = {}  # L^-1 of a row, once it is asked for
        self.frame = Frame()
        self.held: list[int] = []
        self.u: Vector = []  # the multipliers of `held`
        self.redundant: set[int] = set()

    def run(self) -> bool:
        """Take in rows until none is violated; whether that was possible."""
        n, p = len(self.d), self.equalities
        corrections = 0
        # The method is finite; the bound is for rounding that makes it cycle. Rarely more than 2 n turns are needed.
        for turn in range(p + 20 * (len(self.rows) + n) + 20):
            new = turn if turn < p else self._most_violated()
            if new >= 0:
                if not self._take_in(new):
                    return False
                continue
            self._correct()
            corrections += 1
            if corrections > CORRECTIONS or not self.held:
                return True
        return False

    def multipliers(self) -> tuple[Vector, Vector]:
        """Multipliers of all inequalities, >= 0, and of all equalities."""
        p = self.equalities
        c_multipliers, e_multipliers = [0.0] * (len(self.rows) - p), [0.0] * p
        for j, have in zip(self.held, self.u, strict=True):
            if j < p:
                e_multipliers[j] = have
            else:
                c_multipliers[j - p] = max(0.0, have)
        return c_multipliers, e_multipliers

    def working(self) -> list[int]:
        """The inequalities held."""
        return [j - self.equalities for j in self.held if j >= self.equalities]

    def _allow_rounding(self) -> None:
        reach = max(1.0, size_of(self.d))
        self.allowed = [VIOLATED + ROUNDING * reach * size for size in self.sizes]

    def _over(self, i: int) -> float:
        return self.values[i] + dot(self.rows[i], self.d)

    def _most_violated(self) -> int:
        """The inequality that is violated most, relative to its gradient; -1 for none."""
        worst, at = 0.0, -1
        for i in range(self.equalities, len(self.rows)):
            over = self._over(i)
            if over > self.allowed[i] and i not in self.held and i not in self.redundant:
                over /= self.sizes[i] or 1.0
                if over > worst:
                    worst, at = over, i
        return at

    def _correct(self) -> None:
        """Take out of the held rows the rounding of a free minimum that was far away."""
        if self.held:
            off = [-self.values[j] - dot(self.rows[j], self.d) for j in self.held]
            back = backward(self.lower, self.frame.reach(off, len(self.d)))
            self.d = [a + b for a, b in zip(self.d, back, strict=True)]
            self._allow_rounding()

    def _take_in(self, new: int) -> bool:
        """Hold a row, letting go of others on the way to it; False where no step satisfies it."""
        if new not in self.whitened:
            self.whitened[new] = forward(self.lower, self.rows[new])
        row, multiplier = self.whitened[new], 0.0
        while True:
            parts, rest, length = self.frame.split(row)
            over = self._over(new)
            if length > DEPENDENT * math.sqrt(dot(row, row)):
                full = over / (length * length)
            elif abs(over) <= PASSED_OVER + self.allowed[new]:
                self.redundant.add(new)  # says what others say, to rounding
                return True
            elif new < self.equalities:
                return False
            else:
                full = math.inf  # no step in d helps: only letting go of another row does
            ratios = self.frame.combine(parts)
            partial, leaving = self._first_to_leave(new, ratios)
            t = min(partial, full)
            if math.isinf(t):
                return False
            if not math.isinf(full):
                move = backward(self.lower, rest)
                self.d = [a - t * b for a, b in zip(self.d, move, strict=True)]
            self.u = [have - t * ratio for have, ratio in zip(self.u, ratios, strict=True)]
            multiplier += t
            if full <= partial:
                self.held.append(new)
                self.u.append(multiplier)
                self.frame.append(parts, rest, length)
                return True
            self._let_go(leaving)

    def _first_to_leave(self, new: int, ratios: Vector) -> tuple[float, int]:
        """How far the multiplier of a new row may rise before one of the held inequalities falls to zero, and which."""
        partial, leaving = math.inf, -1
        if new >= self.equalities:
            for j, (ratio, have) in enumerate(zip(ratios, self.u, strict=True)):
                if self.held[j] >= self.equalities and ratio > FALLS and have / ratio < partial:
                    partial, leaving = have / ratio, j
        return partial, leaving

    def _let_go(self, position: int) -> None:
        del self.held[position], self.u[position]
        self.frame = Frame()
        for j in self.held:
            self.frame.add(self.whitened[j], 0.0)
