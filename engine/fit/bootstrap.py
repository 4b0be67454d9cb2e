"""A fit into as many fits of runs drawn anew, each by its number: what the constants might have been."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.covariance import MOST, Local, influence, lifted, spread
from runplan.engine.fit.lack import Noise
from runplan.engine.fit.model import Model
from runplan.engine.fit.newton import Problem, descend
from runplan.engine.fit.objective import Loss, loss_of, residual_slopes
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.scatter.order import in_order
from runplan.engine.scatter.work import Workers

DRAWS = 4000
# Runs for each constant from which on runs are drawn; with fewer, too few different ones would be left in a draw.
MANY = 10
# What is worked on at once: what is drawn of these stays in memory.
CHUNK = 1024
# How much of the first-order move a descent sets out with: the steps that are left are fewest with this.
LEAP = 0.7
# Steps of a draw: the few that take more have a constant that their runs do not tell, and go on for ever.
STEPS = 100
# How far draws go that are usual, over what four of five stay below: of normal ones, three standard deviations.
USUAL = 3.0 / 1.2815515655446004
# Standard deviations beyond which a draw is wild.
WILD = 4.0
# Of the bound of a narrow Huber's loss that stands in for |r|, over the usual residual.
NARROW = 0.02


@dataclass(frozen=True, slots=True)
class Resampled:
    """Fits to runs drawn anew: work on numbered points, as `engine/scatter` hands it out.

    Attributes:
        loss: What is summed: of absolute residuals a narrow Huber's.
        theta: (k), from where each sets out: the minimum, or near it.
        influence: (n, k), by how much one run more of each moves it, to first order.
        groups: (n), runs of one number are drawn together; None where residuals are drawn instead of runs.
        residuals: (n), at the minimum.
        noise: What errors are by, where more than the residuals tells them; None where nothing does.
        seed: Of the draws; each of them follows from it and its number alone.
    """

    model: Model
    loss: Loss
    log: bool
    theta: Floats
    influence: Floats
    groups: NDArray[np.intp] | None
    residuals: Floats
    seed: int
    noise: Noise | None = None

    def __call__(self, start: int, stop: int) -> Floats:
        """(stop - start, k), the draws of these numbers."""
        return np.concatenate([self._some(i, min(i + CHUNK, stop)) for i in range(start, stop, CHUNK)])

    def _some(self, start: int, stop: int) -> Floats:
        count = stop - start
        if self.groups is None:
            wrong = errors(self.residuals, len(self.theta), self.seed, start, stop, self.noise)
            shifts = self.residuals + wrong
            problem = Problem(self.model, self.loss, self.log, shifts=shifts)
            return descend(problem, np.tile(self.theta, (count, 1)), STEPS).theta
        weights = counts(self.groups, self.seed, start, stop)
        # Draw by draw, and not as one product: how that is summed depends on how many there are.
        moved = np.matmul((weights - 1)[:, None, :], self.influence)[:, 0]
        problem = Problem(self.model, self.loss, self.log, weights=weights)
        return descend(problem, self.theta + np.clip(LEAP * moved, -1, 1), STEPS).theta


def resampled(
    model: Model,
    objective: Objective,
    theta: Floats,
    here: Local,
    seed: int,
    groups: NDArray[np.intp] | None,
    noise: Noise | None = None,
) -> Resampled:
    """The bootstrap of a minimum.

    Where there are many runs for each constant, runs are drawn, with what is peculiar to each: B. Efron, Bootstrap
    Methods, Annals of Statistics 7 (1979). Where there are few, they stay as they were designed and errors are drawn:
    see `errors`.

    Args:
        groups: (n), runs of one number are drawn together; None where each is by itself.
        noise: By which errors are drawn; None where the residuals alone tell them.
    """
    n, k = len(here.residuals), len(theta)
    if groups is None and noise is None and n >= MANY * k:
        groups = np.arange(n)
    narrow = max(NARROW * spread(here.residuals, k), 1e-14)
    loss = loss_of(objective, narrow)
    moves = influence(objective, here).T
    return Resampled(model, loss, objective.log, lifted(model, theta, here), moves, groups, here.residuals, seed, noise)


def drawn(work: Resampled, count: int, workers: Workers | None = None) -> Floats:
    """(count, k), so many draws; the same whoever makes them, to the last bit."""
    if not count:
        return np.empty((0, len(work.theta)))
    if workers is None:
        return work(0, count)
    return np.concatenate([done.result for done in in_order(work, count, workers)])


def joint(model: Model, log: bool, theta: Floats, here: Local, draws: Floats) -> Floats:
    """(b, k) draws into the covariance by which a forecast to first order is as uncertain as the draws say.

    A constant that the runs hardly tell may be anything in a draw, with next to no effect on what it predicts: its own
    variance times a slope would be far too much. So each draw counts for the coordinates that would, to first order,
    predict what it predicts of the runs. And one beyond all usual ones counts as the last of these: where a run or two
    are all that tells the errors, draws have no variance, and an interval of 80 % would be that of the few furthest.
    """
    predicted, _ = residual_slopes(model, log, np.concatenate([theta[None], draws]))
    apart = predicted[1:] - predicted[0]
    apart = apart[np.isfinite(apart).all(axis=1)]
    far = np.sqrt(np.mean(apart**2, axis=1))
    share = np.minimum(1.0, USUAL * np.quantile(far, 0.8) / np.maximum(far, 1e-300))
    moved = apart * share[:, None] @ np.linalg.pinv(here.slopes, rcond=1e-12)
    return np.atleast_2d(np.cov(moved, rowvar=False))


def tame(draws: Floats) -> Floats:
    """Draws without those that are wild in a column, by the interval that most are in; of normal ones all are kept."""
    low, middle, high = np.quantile(draws, [(1 - MOST) / 2, 0.5, (1 + MOST) / 2], axis=0)
    reach = WILD * (high - low) / (2 * QUANTILE)
    return np.asarray(draws[(np.abs(draws - middle) <= reach).all(axis=1)])


def skew(draws: Floats) -> Floats:
    """(k), how far each column is from even on both sides of its middle, whichever is the longer."""
    off = draws - np.median(draws, axis=0)
    return np.asarray(np.abs(np.mean(off**3, axis=0)) / np.maximum(np.mean(off**2, axis=0), 1e-200) ** 1.5)


def counts(groups: NDArray[np.intp], seed: int, start: int, stop: int) -> Floats:
    """(stop - start, n), how often each run is drawn, as often in all as there are groups."""
    count = int(groups.max()) + 1
    chosen = (_uniform(seed, start, stop, count) * count).astype(np.intp)
    chosen += count * np.arange(stop - start)[:, None]
    found = np.bincount(chosen.ravel(), minlength=(stop - start) * count).reshape(-1, count)
    return np.asarray(found[:, groups], dtype=np.float64)


def errors(residuals: Floats, constants: int, seed: int, start: int, stop: int, noise: Noise | None = None) -> Floats:
    """(stop - start, n), errors as those that the residuals show.

    Residuals drawn with replacement, enlarged by what the constants took of them, and smoothed, since as many of them
    as there are constants may be nothing at all: B. W. Silverman and G. A. Young, The Bootstrap: To Smooth or not to
    Smooth?, Biometrika 74 (1987). Their size is itself known from few runs: each draw has its own, as Student has it,
    so that intervals hold with few runs, too. Of a noise that more than the residuals tells, normal ones of its size.
    """
    n, free = len(residuals), max(len(residuals) - constants, 1) if noise is None else noise.freedom
    even = free // 2
    u = _uniform(seed, start, stop, 3 * n + even + 2)
    found = _normal(u[:, n : 2 * n], u[:, 2 * n : 3 * n])
    if noise is None:
        large = residuals * np.sqrt(n / free)
        width = 1.06 * spread(residuals, constants) * n**-0.2
        found = large[(u[:, :n] * n).astype(np.intp)] + width * found
    else:
        found = noise.size * found
    square = -2 * np.log1p(-u[:, 3 * n : 3 * n + even]).sum(axis=1)
    if free % 2:
        square += _normal(u[:, -2], u[:, -1]) ** 2
    return np.asarray(found * np.sqrt(free / square)[:, None])


def _normal(u: Floats, v: Floats) -> Floats:
    """Standard normal numbers of even ones: G. Box and M. Muller (1958). A fixed count of these for each."""
    return np.asarray(np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v))


def _uniform(seed: int, start: int, stop: int, each: int) -> Floats:
    """(stop - start, each) numbers from 0 to 1: one stream holds all draws, one after the other."""
    stream = np.random.PCG64(seed)
    stream.advance(start * each)
    return np.random.Generator(stream).random((stop - start, each))
