"""A model and an objective into the local minima of the objective, with how many starts lie in the basin of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.covariance import local
from runplan.engine.fit.model import Model
from runplan.engine.fit.newton import Descended, Problem, descend
from runplan.engine.fit.objective import Loss, loss_of, residuals, total
from runplan.engine.fit.outcome import Minimum, Objective
from runplan.engine.fit.projection import projected
from runplan.engine.fit.table import Floats

STARTS = 128
# How far |r| may be from the sum that stands in for it, as a share of it.
CLOSE = 1e-11
# Wide bounds of the loss that one descent takes one after the other: a smoother sum has fewer minima.
WIDE = (16.0, 4.0, 1.0)
# Steps with the second derivative at most: each doubles the digits.
POLISH = 5
# The longest of them: a longer one is no last digit.
LAST = 1e-3
# Of how many minima, the best first.
POLISHED = 8
# Descents that are gone on with, where the lowest value is none of a minimum, how many steps of them, the longest of
# what does not enter linearly, and the most that a step takes of what does.
GONE_ON, FURTHER, STRIDE, TENTH = 2, 80, 2.0, 0.9
# A coordinate that is further away than so many of the ranges that a search starts between has run away.
AWAY = 1e3
# Two minima are one where their predictions differ by less than this share of what residuals usually are.
ALIKE = 1e-3


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found.

    Attributes:
        minima: The best first; each is one, by its slope.
        starts: Points that were tried in all.
        certain: Whether the best value found is that of such a minimum.
    """

    minima: tuple[Minimum, ...]
    starts: int
    certain: bool


def searched(model: Model, objective: Objective, starts: int = STARTS) -> Searched:
    """The local minima of an objective.

    Points are spread evenly over the ranges of the coordinates, the linear ones solved for at each. A point that is
    better than its nearest neighbours is the bottom of a basin, and each other point lies in that of the neighbour
    that it descends to: A. Törn and S. Viitanen, Topographical Global Optimization, in Recent Advances in Global
    Optimization (Princeton, 1992). From each bottom two descents: one as it is, and one whose loss is wide at first.
    """
    loss = loss_of(objective)
    points, values = projected(model, loss, objective.log, spread(model, starts))
    bottoms, sizes = _basins(points[:, nonlinear(model)], values)
    begin = np.concatenate([points[bottoms], elsewhere(model)])
    direct, smooth = (way(model, objective, loss, begin) for way in (_direct, _smooth))
    theta = np.concatenate([direct.theta, smooth.theta])
    converged = np.concatenate([direct.converged, smooth.converged])
    if objective.kind == "absolute":
        theta, converged = _tightened(model, objective, theta)
    values = total(objective, residuals(model, objective.log, theta))
    values = np.where(np.isnan(values), np.inf, values)
    for i in np.argsort(values, kind="stable")[:GONE_ON].tolist():
        if converged[i]:
            break
        if np.isfinite(values[i]) and objective.kind != "absolute":
            theta[i], values[i], converged[i] = _gone_on(model, objective, theta[i], float(values[i]))
    # A basin is told of the lower of the two minima that were reached from its bottom.
    sizes = np.concatenate([sizes, np.zeros(len(begin) - len(sizes), dtype=np.intp)])
    lower = values[len(begin) :] < values[: len(begin)]
    sizes = np.concatenate([np.where(lower, 0, sizes), np.where(lower, sizes, 0)])
    order = np.argsort(values, kind="stable")
    minima = _distinct(model, objective, theta[order], values[order], sizes[order], converged[order])
    certain = bool(minima) and minima[0].value <= values.min() * (1 + 1e-9)
    if objective.kind != "absolute":
        minima = tuple(_polished(model, objective, one) for one in minima[:POLISHED]) + minima[POLISHED:]
    return Searched(minima, len(points), certain)


def elsewhere(model: Model) -> Floats:
    """(0 or 1, k), where other runs had the coordinates, if all of them are known."""
    known = [c.elsewhere for c in model.coordinates if c.elsewhere is not None]
    return np.array([known] if len(known) == len(model.coordinates) else np.empty((0, len(model.coordinates))))


def spread(model: Model, count: int) -> Floats:
    """(count, k) points between the ends of the ranges, evenly, and the same each time.

    Multiples of a vector modulo one: M. Roberts, The Unreasonable Effectiveness of Quasirandom Sequences (2018), after
    R. Richtmyer (1951). Linear coordinates stand in the middle.
    """
    low, high = (np.array([getattr(c, end) for c in model.coordinates]) for end in ("low", "high"))
    found = np.tile((low + high) / 2, (count, 1))
    moving = nonlinear(model)
    if not len(moving):
        return found[:1]
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / (len(moving) + 1))
    shares = (0.5 + np.arange(1, count + 1)[:, None] * root ** -np.arange(1.0, len(moving) + 1)) % 1.0
    found[:, moving] = low[moving] + (high - low)[moving] * shares
    return found


def nonlinear(model: Model) -> NDArray[np.intp]:
    """Which coordinates are not linear."""
    return np.flatnonzero(~np.array(model.linear))


def _basins(points: Floats, values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(s, d) points and their values into the points that are bottoms, the best first, and how many lie in each."""
    s, d = points.shape
    near = min(s - 1, max(6, 2 * d + 2))
    if near < 1:
        return np.zeros(1, dtype=np.intp), np.ones(1, dtype=np.intp)
    unit = points / np.maximum(points.max(axis=0) - points.min(axis=0), 1e-300)
    square = (unit * unit).sum(axis=1)
    down = np.arange(s)
    for start in range(0, s, 512):
        some = np.arange(start, min(s, start + 512))
        apart = square[some, None] + square - 2 * unit[some] @ unit.T
        apart[np.arange(len(some)), some] = np.inf
        neighbours = np.argpartition(apart, near - 1, axis=1)[:, :near]
        best = neighbours[np.arange(len(some)), values[neighbours].argmin(axis=1)]
        down[some] = np.where(values[best] < values[some], best, some)
    while not np.array_equal(below := down[down], down):
        down = below
    bottoms, sizes = np.unique(down[np.isfinite(values[down])], return_counts=True)
    order = np.argsort(values[bottoms], kind="stable")
    return bottoms[order], sizes[order]


def _direct(model: Model, objective: Objective, loss: Loss, theta: Floats) -> Descended:
    return descend(Problem(model, loss, objective.log), theta)


def _smooth(model: Model, objective: Objective, loss: Loss, theta: Floats) -> Descended:
    """Descents whose loss is wide at first, so that they do not see the small basins."""
    if len(theta):
        usual = float(np.nanmedian(np.abs(residuals(model, objective.log, theta[:1]))))
        for wide in WIDE:
            if wide * usual > loss.bound:
                theta = descend(Problem(model, Loss(wide * usual), objective.log), theta, gain=1e-4).theta
    return descend(Problem(model, loss, objective.log), theta)


def _gone_on(model: Model, objective: Objective, theta: Floats, value: float) -> tuple[Floats, float, bool]:
    """A descent through a valley so flat that a secant lost its way: by the second derivative itself.

    A valley bends by the logarithms of what enters linearly, so steps are of these constants as they are. One that the
    runs would rather have below zero falls to a tenth in each step, and the rest follows it: in the end it is nothing.
    """
    loss, damping, gain = loss_of(objective), 0.0, np.inf
    plain = np.array([c.log for c in model.coordinates]) & np.array(model.linear)
    here = local(model, objective, theta)
    for _ in range(FURTHER):
        gradient = here.slopes @ loss.slopes(here.residuals)
        inside = loss.curvatures(here.residuals)
        matrix = (here.slopes * inside) @ here.slopes.T + np.tensordot(loss.slopes(here.residuals), here.bend, 1)
        if not np.isfinite(matrix).all():  # on and on, beyond all figures
            gain = np.inf
            break
        step = _down(matrix - np.diag(np.where(plain, gradient, 0.0)), gradient, damping, plain)
        gain = -0.5 * float(gradient @ step)
        if gain <= 1e-12 * value:
            break
        moved = step / max(float(np.abs(np.where(plain, 0.0, step)).max()) / STRIDE, 1.0)
        tried = theta + np.where(plain, np.log1p(np.maximum(moved, -TENTH)), moved)
        there = local(model, objective, tried)
        new = float(loss.values(there.residuals).sum())
        if new <= value:
            theta, value, here, damping = tried, new, there, damping / 10
        else:
            damping = max(10 * damping, 1e-9)
    return theta, float(total(objective, residuals(model, objective.log, theta[None]))[0]), gain <= 1e-10 * value


def _down(matrix: Floats, gradient: Floats, damping: float, plain: NDArray[np.bool_]) -> Floats:
    """(k), a step downhill where none that is `plain` takes more than nine tenths of what there is.

    Where the second derivative is negative its size is taken: P. Gill, W. Murray and M. Wright, Practical Optimization
    (1981), section 4.4.2.
    """
    step, free = np.zeros(len(gradient)), np.ones(len(gradient), dtype=bool)
    while free.any():
        part = matrix[np.ix_(free, free)]
        size = np.sqrt(np.maximum(np.abs(np.diagonal(part)), 1e-300))
        bends, ways = np.linalg.eigh(part / np.outer(size, size))
        wanted = gradient[free] + matrix[np.ix_(free, ~free)] @ step[~free]
        along = ways.T @ (wanted / size) / (np.abs(bends) + damping + 1e-15 * np.abs(bends).max())
        step[free] = -(ways @ along) / size
        far = free & plain & (step < -TENTH)
        if not far.any():
            break
        step[far] = -TENTH
        free &= ~far
    return step


def _polished(model: Model, objective: Objective, found: Minimum) -> Minimum:
    """A minimum that a secant reached, made one to the last digits by steps with the second derivative itself."""
    loss, theta, best, least = loss_of(objective), found.theta, found.theta, np.inf
    for _ in range(POLISH):
        here = local(model, objective, theta)
        gradient = here.slopes @ loss.slopes(here.residuals)
        size = float(np.abs(gradient).sum())
        if not size < 0.5 * least:
            break
        best, least = theta, size
        inside = loss.curvatures(here.residuals)
        matrix = (here.slopes * inside) @ here.slopes.T + np.tensordot(loss.slopes(here.residuals), here.bend, 1)
        try:
            step = np.linalg.solve(matrix, gradient)
        except np.linalg.LinAlgError:
            break
        if not (np.abs(step) <= LAST * (1 + np.abs(theta))).all():
            break
        theta = theta - step
    return Minimum(best, float(total(objective, residuals(model, objective.log, best[None]))[0]), found.starts)


def _tightened(model: Model, objective: Objective, theta: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Minima of a sum that stands in for that of |r| into minima of one that cannot be told from it."""
    bound = objective.delta
    converged = np.zeros(len(theta), dtype=bool)
    while len(theta):
        sums = total(objective, residuals(model, objective.log, theta))
        if len(model.measured) * bound / 2 <= CLOSE * sums.min() or bound < 1e-14:
            break
        bound /= 8
        found = descend(Problem(model, loss_of(objective, bound), objective.log), theta)
        theta, converged = found.theta, found.converged
    return theta, converged


def _distinct(
    model: Model,
    objective: Objective,
    theta: Floats,
    values: Floats,
    sizes: NDArray[np.intp],
    converged: NDArray[np.bool_],
) -> tuple[Minimum, ...]:
    """Descents in the order of their values into minima: those that predict the same are one."""
    left = residuals(model, objective.log, theta)
    low, high = (np.array([getattr(c, end) for c in model.coordinates]) for end in ("low", "high"))
    near = (np.abs(theta - (low + high) / 2) <= AWAY * np.maximum(high - low, 1e-300)).all(axis=1)
    found: list[Minimum] = []
    lefts: list[Floats] = []
    for i in np.flatnonzero(converged & near & np.isfinite(values)):
        for j, (other, minimum) in enumerate(zip(lefts, found, strict=True)):
            if np.abs(left[i] - other).max() <= ALIKE * np.median(np.abs(other)) + 1e-9:
                found[j] = Minimum(minimum.theta, minimum.value, minimum.starts + int(sizes[i]))
                break
        else:
            found.append(Minimum(theta[i], float(values[i]), int(sizes[i])))
            lefts.append(left[i])
    return tuple(found)
