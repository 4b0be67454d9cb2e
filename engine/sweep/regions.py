"""A problem whose figures are arrays to its solutions, region by region.

A region is where the same constraints bind, and the same goals have something to decide: there the solution is that of
equations, and Newton's method finds it at all points at once. Of a convex problem a point is its optimum where the
multipliers of what binds are positive and all else is kept: that is checked at each, and who fails is left to another
region, or to the solver of single plans. So no point rests on the region being guessed well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr
from runplan.dsl.types import Any
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.problem import Problem
from runplan.engine.sweep.arrays import jet_of
from runplan.engine.sweep.job import Floats

Mask = npt.NDArray[np.bool_]
# Rounds after which a point is left to the solver of single plans.
ROUNDS = 25
# The longest step, in logarithms.
LONGEST = 3.0
# Steps, and what is left of equations, at which a point is solved: rounding.
SETTLED = 1e-11
# By so much a constraint that does not bind is kept, and a multiplier is positive: with less it may be rounding.
CLEAR = 1e-7
# By so much, as a share, multipliers may miss the gradient of a goal that they hold: rounding.
STILL = 1e-7
# Beside a constraint's bend, what keeps from moving what moves no constraint.
STAY = 1e-6
# Figures may be off by so much, as those who write them round them: of several together more than SHORT of one.
ROUNDED = 0.02
# As near to a line a solution is on it.
ON = 1e-9


@dataclass(frozen=True, slots=True)
class Region:
    """Where the same binds.

    Attributes:
        start: A solution there, in logarithms of the variables.
        held: For each goal that has something to decide, the inequalities, by their places, that have its multipliers.
        sides: For each of these goals that is to stay near a line, on which side of it: -1, 1, or 0 on it.
    """

    start: tuple[float, ...]
    held: tuple[frozenset[int], ...]
    sides: tuple[int, ...]


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


class Posed:
    """A problem over arrays, its constraints and goals as functions of the logarithms of its variables.

    Attributes:
        variables: Their names, in order.
    """

    def __init__(self, problem: Problem) -> None:
        self.variables = tuple(v.name for v in problem.variables)
        self._places = {name: at for at, name in enumerate(self.variables)}
        memo: dict[Name, Expr] = {}

        def sides(constraint: Constraint) -> tuple[Expr, Expr]:
            return problem.expanded(constraint.left, memo), problem.expanded(constraint.most, memo)

        self.inequalities = tuple(sides(c) for c in problem.constraints if not c.equal)
        self.equalities = tuple(sides(c) for c in problem.constraints if c.equal)
        self._goals = tuple(
            (goal.sense, problem.expanded(goal.expr, memo), goal.other and problem.expanded(goal.other, memo))
            for goal in problem.goals
        )

    def region(self, x: Sequence[float], held: Sequence[frozenset[int]], at: Mapping[Name, float]) -> Region:
        """The region of a solution, in logarithms of the variables, at a point."""
        env = {name: np.array([value]) for name, value in at.items()}
        here = self._env(np.array(x, dtype=np.float64).reshape(len(x), 1), env)
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
        tight = sorted(frozenset[int]().union(*region.held))
        if len(tight) + len(self.equalities) + region.sides.count(0) > k:
            return x, np.zeros(count, dtype=np.bool_)
        settled = np.zeros(count, dtype=np.bool_)
        with np.errstate(all="ignore"):
            for _ in range(ROUNDS):
                step = self._step(x, region, tight, env, count)
                size = np.abs(step).max(axis=0) if k else np.zeros(count)
                settled = size <= SETTLED * np.maximum(1.0, np.abs(x).max(axis=0) if k else 1.0)
                # A point that is settled stays where it is, however long others take.
                x = np.where(settled, x, x + step * np.minimum(1.0, LONGEST / np.maximum(size, 1e-300)))
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
                here = self._env(z[:k], env)
                limits = [[sign * one for one in self._limit(sides[at], here, count)] for at, sign in conflict.core]
                pull = np.stack([gradient for _, gradient, _ in limits])
                for far in conflict.far:
                    for _, gradient, hessian in limits:
                        gradient[far] = hessian[far] = hessian[:, far] = 0.0
                matrix, right = np.zeros((count, k + 1 + m, k + 1 + m)), np.zeros((count, k + 1 + m))
                for at, (value, gradient, hessian) in enumerate(limits):
                    row = k + 1 + at
                    matrix[:, row, :k] = matrix[:, :k, row] = gradient.T
                    matrix[:, row, k] = matrix[:, k, row] = -1.0
                    matrix[:, :k, :k] += np.moveaxis(multipliers[at] * hessian, 2, 0)
                    right[:, row] = z[k] - value
                # What moves none of it stays where it is.
                matrix[:, :k, :k] += STAY * np.eye(k)
                right[:, k] = -1.0
                found = _solution(matrix, right).T
                step, multipliers = found[: k + 1], found[k + 1 :]
                size = np.abs(step).max(axis=0)
                settled = size <= SETTLED * np.maximum(1.0, np.abs(z).max(axis=0))
                z = np.where(settled, z, z + step * np.minimum(1.0, LONGEST / np.maximum(size, 1e-300)))
                if bool((settled | ~np.isfinite(size)).all()):
                    break
            for far in conflict.far:  # to come back would not help
                settled &= np.sign(z[far]) * np.einsum("mn,mn->n", multipliers, pull[:, far]) <= STILL
            rounded = sum(multipliers[at] for at, (which, _) in enumerate(conflict.core) if which not in wishes)
            good = settled & (multipliers > CLEAR).all(axis=0) & (z[k] > ROUNDED * rounded + CLEAR)
        return z, np.asarray(good)

    # ---- parts of it

    def _env(self, x: Floats, env: Mapping[Name, Any]) -> dict[Name, Any]:
        return {**env, **dict(zip(self.variables, np.exp(x), strict=True))}

    def _limit(self, sides: tuple[Expr, Expr], env: Mapping[Name, Any], count: int) -> tuple[Floats, Floats, Floats]:
        """The logarithm of the ratio of two sides, its gradient (k, n) and its Hessian (k, k, n)."""
        (a, ag, ah), (b, bg, bh) = (self._log(side, env, count) for side in sides)
        return a - b, ag - bg, ah - bh

    def _log(self, expr: Expr, env: Mapping[Name, Any], count: int) -> tuple[Floats, Floats, Floats]:
        """The logarithm of an expression that is positive, with its derivatives; NaN where it is not."""
        k = len(self.variables)
        jet = jet_of(expr, env, self._places)
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

    def _goal(self, at: int, side: int, env: Mapping[Name, Any], count: int) -> tuple[Floats, Floats, Floats]:
        """What is to be small, its gradient and its Hessian; what is to be nought, where that is reached."""
        sense, expr, other = self._goals[at]
        if other is not None:
            return tuple((side or 1) * part for part in self._limit((expr, other), env, count))  # type: ignore[return-value]
        value, gradient, hessian = self._log(expr, env, count)
        return (value, gradient, hessian) if sense == "minimize" else (-value, -gradient, -hessian)

    def _step(self, x: Floats, region: Region, tight: Sequence[int], env: Mapping[Name, Any], count: int) -> Floats:
        """Newton's step for the last goal that decides anything, along what binds."""
        k = len(self.variables)
        if not k:
            return np.zeros((0, count))
        here = self._env(x, env)
        binding = [self._limit(self.inequalities[at], here, count) for at in tight]
        binding += [self._limit(sides, here, count) for sides in self.equalities]
        binding += [self._goal(at, side, here, count) for at, side in enumerate(region.sides) if not side]
        m = len(binding)
        matrix, right = np.zeros((count, k + m, k + m)), np.zeros((count, k + m))
        for at, (value, gradient, _) in enumerate(binding):
            matrix[:, k + at, :k] = matrix[:, :k, k + at] = gradient.T
            right[:, k + at] = -value
        if m < k:
            last = len(region.held) - 1
            _, gradient, hessian = self._goal(last, region.sides[last], here, count)
            multipliers = _least_squares(_rows([g for _, g, _ in binding], gradient), gradient)
            for at in range(m):
                hessian = hessian + multipliers[at] * binding[at][2]
            matrix[:, :k, :k] = np.moveaxis(hessian, 2, 0)
            right[:, :k] = -gradient.T
        else:
            matrix[:, :k, :k] = np.eye(k)
        return _solution(matrix, right)[:, :k].T

    def _is_best(self, x: Floats, region: Region, env: Mapping[Name, Any], count: int) -> Mask:
        """Whether all that does not bind is kept, and what binds has multipliers, at each point."""
        k = len(self.variables)
        here = self._env(x, env)
        good = np.isfinite(x).all(axis=0) if k else np.ones(count, dtype=np.bool_)
        tight = frozenset[int]().union(*region.held)
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
            left = gradient + np.einsum("knm,mn->kn", rows, multipliers)
            scale = np.maximum(np.abs(gradient).max(axis=0, initial=0.0), 1e-300)
            good &= np.abs(left).max(axis=0, initial=0.0) <= STILL * scale
            for (which, _, _), multiplier in zip(bound, multipliers, strict=True):
                good &= (multiplier > CLEAR * scale) if which in held else True
            if at == len(region.held) - 1 and len(bound) < k:
                bent = hessian + sum(m * h for m, (_, _, h) in zip(multipliers, bound, strict=True))
                good &= _bends_up(bent, rows, scale)
        return np.asarray(good)


def _solution(matrix: Floats, right: Floats) -> Floats:
    """The solutions of systems of equations; NaN where one has none."""
    whole: Mask = np.asarray(np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    scale = np.abs(matrix).max(axis=2)
    scale = np.where(whole[:, None] & (scale > 0), scale, 1.0)
    even = np.where(whole[:, None, None], matrix, 0.0) / scale[:, :, None]
    # One system without a solution would raise for all: it is made one that leads nowhere.
    whole &= np.abs(np.linalg.det(even)) > 1e-200
    even = np.where(whole[:, None, None], even, np.eye(even.shape[1]))
    found = np.linalg.solve(even, (np.where(whole[:, None], right, 0.0) / scale)[:, :, None])[:, :, 0]
    return np.where(whole[:, None], found, np.nan)


def _least_squares(jacobian: Floats, gradient: Floats) -> Floats:
    """The multipliers (m, n) with which rows (k, n, m) come nearest to a gradient's opposite (k, n)."""
    if not jacobian.shape[2]:
        return np.zeros((0, gradient.shape[1]))
    a = np.moveaxis(jacobian, 1, 0)
    normal = np.einsum("nkm,nkl->nml", a, a)
    return -_solution(normal, np.einsum("nkm,kn->nm", a, gradient)).T


def _rows(gradients: Sequence[Floats], like: Floats) -> Floats:
    """Gradients (k, n) as the rows of a matrix (k, n, m)."""
    return np.stack(gradients, axis=2) if gradients else np.zeros((*like.shape, 0))


def _bends_up(hessian: Floats, rows: Floats, scale: Floats) -> Mask:
    """Whether a function bends up along all that rows leave free, at each point."""
    h, a = np.moveaxis(hessian, 2, 0), np.moveaxis(rows, 1, 0)
    whole: Mask = np.asarray(np.isfinite(h).all(axis=(1, 2)) & np.isfinite(a).all(axis=(1, 2)))
    h, a = (np.where(whole[:, None, None], one, 0.0) for one in (h, a))
    if a.shape[2]:
        free = np.linalg.qr(a, mode="complete").Q[:, :, a.shape[2] :]
        h = np.einsum("nki,nkl,nlj->nij", free, h, free)
    return np.asarray(whole & (np.linalg.eigvalsh(h)[:, 0] > CLEAR * scale))
