"""A problem whose figures are arrays to its solutions, region by region.

A region is where the same constraints bind, and the same goals have something to decide: there the solution is that of
equations, and Newton's method finds it at all points at once. Of a convex problem a point is its optimum where the
multipliers of what binds are positive and all else is kept: that is checked at each, and who fails is left to another
region, or to the solver of single plans. So no point rests on the region being guessed well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, names
from runplan.dsl.types import Any
from runplan.engine.sweep.arrays import Jets
from runplan.engine.sweep.grid import Mask
from runplan.engine.sweep.job import Floats
from runplan.engine.sweep.posed import CLEAR, Posed, Region, Sides
from runplan.engine.sweep.systems import sign_of_determinant, solution

# Rounds after which a point is left to the solver of single plans.
ROUNDS = 25
# The longest step, in logarithms.
LONGEST = 3.0
# Steps, and what is left of equations, at which a point is solved: rounding.
SETTLED = 1e-11
# By so much, as a share, multipliers may miss the gradient of a goal that they hold: rounding.
STILL = 1e-7
# Beside a constraint's bend, what keeps from moving what moves no constraint.
STAY = 1e-6
# Figures may be off by so much, as those who write them round them: of several together more than SHORT of one.
ROUNDED = 0.02
# As near to a line a solution is on it.
ON = 1e-9


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where the same cannot hold together.

    Attributes:
        start: Where all of it is broken alike, in logarithms of the variables, and then by how much.
        core: The constraints, inequalities first, by their places, each with the sign in which it is broken.
        far: The variables of which ever more, or ever less, would help, and never enough: they are far off.
    """

    start: tuple[float, ...]
    core: tuple[tuple[int, int], ...]
    far: tuple[int, ...] = ()


class Curved:
    """A problem over arrays, its constraints and goals as functions of the logarithms of its variables.

    Where it is asked for points, it is told the figures of its expressions there, as `Forms.figures` names them.
    """

    def __init__(self, posed: Posed) -> None:
        def parted(sides: Sides) -> Sides:
            return posed.forms.parted(sides[0]), posed.forms.parted(sides[1])

        self.variables = posed.variables
        self.inequalities, self.equalities = (
            tuple(map(parted, posed.inequalities)),
            tuple(map(parted, posed.equalities)),
        )
        self._goals = tuple(
            (sense, posed.forms.parted(expr), other and posed.forms.parted(other)) for sense, expr, other in posed.goals
        )
        every = (*self.inequalities, *self.equalities, *((expr, other) for _, expr, other in self._goals))
        found = frozenset[Name]().union(*(names(one) for sides in every for one in sides if one is not None))
        self.figures = found - set(self.variables)
        self._places = {name: at for at, name in enumerate(self.variables)}

    def region(self, x: Sequence[float], held: Sequence[frozenset[int]], at: Mapping[Name, float]) -> Region:
        """The region of a solution, in logarithms of the variables, at a point."""
        env = {name: np.array([value]) for name, value in at.items()}
        here = self._jets(np.array(x, dtype=np.float64).reshape(len(x), 1), env)
        sides = []
        for sense, expr, other in self._goals[: len(held)]:
            off = float(self._limit((expr, other), here, 1)[0][0]) if sense == "near" and other is not None else 1.0
            sides.append(0 if abs(off) <= ON else 1 if off > 0 else -1)
        return Region(tuple(x), tuple(held), tuple(sides))

    def solved(self, region: Region, env: Mapping[Name, Any], count: int) -> tuple[Floats, Mask]:
        """The solutions of points as they are in a region (k, n), in logarithms, and at which these are the solutions.

        Args:
            env: Of each name that is varied, its values.
        """
        k = len(self.variables)
        x = np.repeat(np.array(region.start, dtype=np.float64).reshape(k, 1), count, axis=1)
        tight = region.tight
        if len(tight) + len(self.equalities) + region.sides.count(0) > k:
            return x, np.zeros(count, dtype=np.bool_)
        settled = np.zeros(count, dtype=np.bool_)
        with np.errstate(all="ignore"):
            for _ in range(ROUNDS):
                step = self._step(x, region, tight, env, count)
                size = np.abs(step).max(axis=0) if k else np.zeros(count)
                # A point that is settled stays where it is after this step, however long others take.
                x = np.where(settled, x, x + step * np.minimum(1.0, LONGEST / np.maximum(size, 1e-300)))
                settled = settled | (size <= SETTLED * np.maximum(1.0, np.abs(x).max(axis=0) if k else 1.0))
                if bool((settled | ~np.isfinite(size)).all()):
                    break
            return x, settled & self._is_best(x, region, env, count)

    def at_odds(
        self, conflict: Conflict, env: Mapping[Name, Any], count: int, wishes: frozenset[int]
    ) -> tuple[Floats, Mask]:
        """Where what cannot hold together is broken alike (k + 1, n), and at which points it is so, and cannot else.

        Args:
            wishes: Which constraints are kept to the digit; others may have been rounded by who wrote them.
        """
        k, m = len(self.variables), len(conflict.core)
        z = np.repeat(np.array(conflict.start, dtype=np.float64).reshape(k + 1, 1), count, axis=1)
        sides = (*self.inequalities, *self.equalities)
        multipliers = np.full((m, count), 1.0 / m)
        settled, good = (np.zeros(count, dtype=np.bool_) for _ in range(2))
        with np.errstate(all="ignore"):
            for _ in range(ROUNDS):
                here = self._jets(z[:k], env)
                limits = [[sign * one for one in self._limit(sides[at], here, count)] for at, sign in conflict.core]
                pull = np.stack([gradient for _, gradient, _ in limits])
                for far in conflict.far:
                    for _, gradient, hessian in limits:
                        gradient[far] = hessian[far] = hessian[:, far] = 0.0
                matrix, right = np.zeros((k + 1 + m, k + 1 + m, count)), np.zeros((k + 1 + m, count))
                for at, (value, gradient, hessian) in enumerate(limits):
                    row = k + 1 + at
                    matrix[row, :k] = matrix[:k, row] = gradient
                    matrix[row, k] = matrix[k, row] = -1.0
                    matrix[:k, :k] += multipliers[at] * hessian
                    right[row] = z[k] - value
                # What moves none of it stays where it is.
                matrix[:k, :k] += STAY * np.eye(k)[:, :, None]
                right[k] = -1.0
                found = solution(matrix, right)
                step, multipliers = found[: k + 1], found[k + 1 :]
                size = np.abs(step).max(axis=0)
                z = np.where(settled, z, z + step * np.minimum(1.0, LONGEST / np.maximum(size, 1e-300)))
                settled = settled | (size <= SETTLED * np.maximum(1.0, np.abs(z).max(axis=0)))
                if bool((settled | ~np.isfinite(size)).all()):
                    break
            for far in conflict.far:  # to come back would not help
                settled &= np.sign(z[far]) * np.einsum("mn,mn->n", multipliers, pull[:, far]) <= STILL
            rounded = sum(multipliers[at] for at, (which, _) in enumerate(conflict.core) if which not in wishes)
            good = settled & (multipliers > CLEAR).all(axis=0) & (z[k] > ROUNDED * rounded + CLEAR)
        return z, np.asarray(good)

    # ---- parts of it

    def _jets(self, x: Floats, env: Mapping[Name, Any]) -> Jets:
        return Jets({**env, **dict(zip(self.variables, np.exp(x), strict=True))}, self._places)

    def _limit(self, sides: Sides, here: Jets, count: int) -> tuple[Floats, Floats, Floats]:
        """The logarithm of the ratio of two sides, its gradient (k, n) and its Hessian (k, k, n)."""
        (a, ag, ah), (b, bg, bh) = (self._log(side, here, count) for side in sides)
        return a - b, ag - bg, ah - bh

    def _log(self, expr: Expr, here: Jets, count: int) -> tuple[Floats, Floats, Floats]:
        """The logarithm of an expression that is positive, with its derivatives; NaN where it is not."""
        k = len(self.variables)
        jet = here.at(expr)
        value = np.broadcast_to(np.asarray(jet.value, dtype=np.float64), (count,))
        value = np.where(value > 0, value, np.nan)
        gradient, hessian = np.zeros((k, count)), np.zeros((k, k, count))
        if jet.gradient is not None and jet.hessian is not None:
            for i in range(k):
                gradient[i] = jet.gradient[i] / value
            for i in range(k):
                for j in range(k):
                    hessian[i, j] = jet.hessian[i][j] / value - gradient[i] * gradient[j]
        return np.log(value), gradient, hessian

    def _goal(self, at: int, side: int, here: Jets, count: int) -> tuple[Floats, Floats, Floats]:
        """What is to be small, its gradient and its Hessian; what is to be nought, where that is reached."""
        sense, expr, other = self._goals[at]
        if other is not None:
            return tuple((side or 1) * part for part in self._limit((expr, other), here, count))  # type: ignore[return-value]
        value, gradient, hessian = self._log(expr, here, count)
        return (value, gradient, hessian) if sense == "minimize" else (-value, -gradient, -hessian)

    def _step(self, x: Floats, region: Region, tight: Sequence[int], env: Mapping[Name, Any], count: int) -> Floats:
        """Newton's step for the last goal that decides anything, along what binds."""
        k = len(self.variables)
        if not k:
            return np.zeros((0, count))
        here = self._jets(x, env)
        binding = [self._limit(self.inequalities[at], here, count) for at in tight]
        binding += [self._limit(sides, here, count) for sides in self.equalities]
        binding += [self._goal(at, side, here, count) for at, side in enumerate(region.sides) if not side]
        m = len(binding)
        if m == k:
            return solution(np.stack([gradient for _, gradient, _ in binding]), -np.stack([v for v, _, _ in binding]))
        matrix, right = np.zeros((k + m, k + m, count)), np.zeros((k + m, count))
        for at, (value, gradient, _) in enumerate(binding):
            matrix[k + at, :k] = matrix[:k, k + at] = gradient
            right[k + at] = -value
        last = len(region.held) - 1
        _, gradient, hessian = self._goal(last, region.sides[last], here, count)
        multipliers = _least_squares(_rows([g for _, g, _ in binding], gradient), gradient)
        for at in range(m):
            hessian = hessian + multipliers[at] * binding[at][2]
        matrix[:k, :k] = hessian
        right[:k] = -gradient
        return solution(matrix, right)[:k]

    def _is_best(self, x: Floats, region: Region, env: Mapping[Name, Any], count: int) -> Mask:
        """Whether all that does not bind is kept, and what binds has multipliers, at each point."""
        k = len(self.variables)
        here = self._jets(x, env)
        good = np.isfinite(x).all(axis=0) if k else np.ones(count, dtype=np.bool_)
        tight = region.tight
        limits = [self._limit(sides, here, count) for sides in self.inequalities]
        equal = [self._limit(sides, here, count) for sides in self.equalities]
        for at, (value, _, _) in enumerate(limits):
            good &= np.abs(value) <= SETTLED * 10 if at in tight else value < -CLEAR
        for value, _, _ in equal:
            good &= np.abs(value) <= SETTLED * 10
        bound: list[tuple[int | None, Floats, Floats]] = [(None, gradient, hessian) for _, gradient, hessian in equal]
        for at, (held, side) in enumerate(zip(region.held, region.sides, strict=True)):
            value, gradient, hessian = self._goal(at, side, here, count)
            if not side:
                good &= np.abs(value) <= SETTLED * 10
                bound.append((None, gradient, hessian))
                continue
            if self._goals[at][0] == "near":
                good &= value > CLEAR
            known = {which for which, _, _ in bound}
            bound += [(which, *limits[which][1:]) for which in sorted(held - known)]
            rows = _rows([row for _, row, _ in bound], gradient)
            multipliers = _least_squares(rows, gradient)
            left = gradient + np.einsum("mkn,mn->kn", rows, multipliers)
            scale = np.maximum(np.abs(gradient).max(axis=0, initial=0.0), 1e-300)
            good &= np.abs(left).max(axis=0, initial=0.0) <= STILL * scale
            for (which, _, _), multiplier in zip(bound, multipliers, strict=True):
                good &= (multiplier > CLEAR * scale) if which in held else True
            if at == len(region.held) - 1 and len(bound) < k:
                bent = hessian + sum(m * h for m, (_, _, h) in zip(multipliers, bound, strict=True))
                good &= _bends_up(bent, rows, scale)
        return np.asarray(good)


def _least_squares(rows: Floats, gradient: Floats) -> Floats:
    """The multipliers (m, n) with which rows (m, k, n) come nearest to a gradient's opposite (k, n)."""
    if not len(rows):
        return np.zeros((0, gradient.shape[1]))
    return -solution(np.einsum("ikn,jkn->ijn", rows, rows), np.einsum("ikn,kn->in", rows, gradient))


def _rows(gradients: Sequence[Floats], like: Floats) -> Floats:
    """Gradients (k, n) as the rows of a matrix (m, k, n)."""
    return np.stack(gradients) if gradients else np.zeros((0, *like.shape))


def _bends_up(hessian: Floats, rows: Floats, scale: Floats) -> Mask:
    """Whether a function bends up along all that rows leave free, at each point."""
    m, k, count = rows.shape
    if k - m == 1:  # by the sign of one determinant, that of the Hessian with the rows about it
        bordered = np.zeros((k + m, k + m, count))
        bordered[:k, :k] = hessian - CLEAR * scale * np.eye(k)[:, :, None]
        bordered[k:, :k] = rows
        bordered[:k, k:] = np.swapaxes(rows, 0, 1)
        return np.asarray(sign_of_determinant(bordered) == (-1) ** m)
    h, a = np.moveaxis(hessian, 2, 0), np.moveaxis(rows, 2, 0)
    whole: Mask = np.asarray(np.isfinite(h).all(axis=(1, 2)) & np.isfinite(a).all(axis=(1, 2)))
    h, a = (np.where(whole[:, None, None], one, 0.0) for one in (h, a))
    if m:
        free = np.linalg.qr(np.swapaxes(a, 1, 2), mode="complete").Q[:, :, m:]
        h = np.einsum("nki,nkl,nlj->nij", free, h, free)
    return np.asarray(whole & (np.linalg.eigvalsh(h)[:, 0] > CLEAR * scale))
