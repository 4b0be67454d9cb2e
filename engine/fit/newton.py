"""Starts into local minima of a sum over runs, many at once: Newton's method with a structured secant, damped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Any
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import Loss, residual_slopes, target
from runplan.engine.fit.table import Floats

Mask = NDArray[np.bool_]

# A descent ends where its next step promises less than this share of the value.
GAIN = 1e-15
# What is taken for nothing at all, of a residual: a few units in the last place.
NOTHING = 1e-15
# The longest step of a coordinate: of a logarithm, a factor of seven.
LONGEST = 2.0
# Where damping is given up: no step is short enough.
STUCK = 1e12
MOST = 200
# Figures of one array of slopes that stay in a processor's cache, and below what is given back to the system each time.
TOGETHER = 40_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Sums over runs of a function of each residual: s of them, that differ in weights, measurements or what is held.

    Attributes:
        log: Whether residuals are of logarithms.
        weights: (s, n), of each run; None where all are one.
        shifts: (s, n), what is added to what was measured, as residuals take it; None where nothing is.
        held: (s, k), which coordinates stay where they are; None where none does.
        bend: (n, k * k), second derivatives of the residuals near the optimum, which the secant sets out from; None
            where they are not known.
    """

    model: Model
    loss: Loss
    log: bool
    weights: Floats | None = None
    shifts: Floats | None = None
    held: Mask | None = None
    bend: Floats | None = None


@dataclass(frozen=True, slots=True)
class Descended:
    """Where s descents ended.

    Attributes:
        theta: (s, k).
        values: (s), infinite where a start had none.
        gains: (s), what one more step promised: half of Newton's decrement.
    """

    theta: Floats
    values: Floats
    gains: Floats

    @property
    def converged(self) -> Mask:
        """(s), where the slope is nothing beside the value."""
        found: Mask = np.isfinite(self.values) & (self.gains <= np.maximum(1e-10 * self.values, 1e-24))
        return found


@dataclass(slots=True)
class _Active:
    """Descents that are under way, m of them.

    Attributes:
        at: (m), which of the stack they are.
        theta, residuals, slopes, value, gradient: (m, k), (m, n), (m, k, n), (m), (m, k), where they are.
        above: (m, k, k), the second derivative of a sum of parabolas that lies above the sum and touches it there.
        bend: (m, k, k), the part of the second derivative that is the runs' own curvature.
        damping: (m), how much of `above` is added.
        steps: (m), how many were tried.
    """

    at: NDArray[np.intp]
    theta: Floats
    residuals: Floats
    slopes: Floats
    value: Floats
    gradient: Floats
    above: Floats
    bend: Floats
    damping: Floats
    steps: NDArray[np.intp]

    def parts(self) -> tuple[NDArray[Any], ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def kept(self, left: Mask) -> _Active:
        return _Active(*(part[left] for part in self.parts()))

    def joined(self, other: _Active) -> _Active:
        return _Active(*(np.concatenate(pair) for pair in zip(self.parts(), other.parts(), strict=True)))


def descend(problem: Problem, theta: Floats, most: int = MOST, gain: float = GAIN) -> Descended:
    """(s, k) starts into local minima.

    The second derivative of a sum is that of least squares, J W J', with the runs inside the bound of the loss, and
    the runs' own curvature under the pulls of the residuals. That is kept up by a secant of its own: J. E. Dennis,
    D. M. Gay and R. E. Welsch, An Adaptive Nonlinear Least-Squares Algorithm, ACM TOMS 7 (1981), section 3. The
    update is measured by, and the step damped by, the second derivative of the parabolas above the loss: it is
    positive definite, whichever runs are inside, and turns with the coordinates. What a descent comes to depends on
    nothing but its own start and sum.

    Args:
        most: Steps that are tried of one descent.
        gain: A descent ends where its next step promises less than this share of its value.
    """
    s, k = theta.shape
    together = max(4, TOGETHER // (k * len(problem.model.measured)))
    found = Descended(theta.copy(), np.full(s, np.inf), np.full(s, np.inf))
    active = _begun(problem, np.arange(0), theta[:0])
    begun = 0
    while begun < s or len(active.at):
        if begun < s and len(active.at) <= together // 2:
            more = np.arange(begun, min(s, begun + together - len(active.at)))
            begun = int(more[-1]) + 1
            active = active.joined(_begun(problem, more, theta[more]))
        promised, over = _advance(problem, active, gain)
        over |= active.steps >= most
        if over.any():
            at = active.at[over]
            found.theta[at], found.values[at] = active.theta[over], active.value[over]
            found.gains[at] = promised[over]
            active = active.kept(~over)
    return found


def _begun(problem: Problem, at: NDArray[np.intp], theta: Floats) -> _Active:
    """Descents at their starts; those that have no value there are over in one step."""
    residuals, slopes = _seen(problem, at, theta)
    k = theta.shape[1]
    pull = problem.loss.slopes(residuals)
    bend = np.zeros((len(at), k, k))
    if problem.bend is not None:
        bend = _free(problem, at, np.matmul(_weighted(problem, at, pull), problem.bend).reshape(-1, k, k))
    damping = np.full(len(at), 0.01 if problem.bend is None else 0.0)
    gradient, value, above = _state(problem, at, residuals, slopes, pull)
    return _Active(
        at, theta, residuals, slopes, value, gradient, above, bend, damping, np.zeros(len(at), dtype=np.intp)
    )


def _advance(problem: Problem, active: _Active, gain: float) -> tuple[Floats, Mask]:
    """One step of each, in place: what it promised, and whether it was the last."""
    loss, at = problem.loss, active.at
    k = active.theta.shape[1]
    inside = _weighted(problem, at, loss.curvatures(active.residuals))
    ground = active.above + _ridge(problem, active)
    with np.errstate(all="ignore"):
        matrix = _squared(active.slopes, inside) + active.bend + active.damping[:, None, None] * ground
        matrix += 1e-16 * ground + (0 if problem.held is None else problem.held[at][:, :, None] * np.eye(k))
        step = -_solved(matrix, active.gradient)
        promised = -0.5 * (active.gradient * step).sum(axis=1)
        step /= np.maximum(np.abs(step).max(axis=1) / LONGEST, 1.0)[:, None]
        downhill = (promised >= 0) & np.isfinite(promised)
        step = np.where(downhill[:, None], step, 0.0)
        tried = active.theta + step
        residuals, slopes = _seen(problem, at, tried)
        pull = loss.slopes(residuals)
        gradient, value, above = _state(problem, at, residuals, slopes, pull)
        ratio = (active.value - value) / np.where(promised > 0, promised, 1.0)
        better = downhill & (value <= active.value) & ((ratio > 1e-4) | (promised == 0))
        change = gradient - _dot(active.slopes, _weighted(problem, at, pull))
        bend = _secant(active.bend, active.above, step, change)
        floor = _floor(problem, at)
        over = downhill & (promised <= np.maximum(gain * active.value, floor)) & (active.damping < 1e-3)
        over |= (active.damping > STUCK) | ~np.isfinite(active.value)
        less = np.where(active.damping < 1e-4, 0.0, active.damping * 0.1)
        kept = np.where(ratio > 0.5, less, np.where(ratio < 0.1, active.damping * 2, active.damping))
        active.damping = np.where(better, kept, np.maximum(active.damping * 4, 0.03))
    active.steps += 1
    promised = np.where(downhill, promised, np.inf)
    if better.all():
        active.theta, active.residuals, active.slopes, active.value = tried, residuals, slopes, value
        active.gradient, active.above, active.bend = gradient, above, bend
    else:
        active.theta[better], active.residuals[better], active.slopes[better] = (
            tried[better],
            residuals[better],
            slopes[better],
        )
        active.value[better], active.gradient[better] = value[better], gradient[better]
        active.above[better], active.bend[better] = above[better], bend[better]
    return promised, over


def _ridge(problem: Problem, active: _Active) -> Floats:
    """What keeps a step finite where the runs say nothing of a direction."""
    k = active.theta.shape[1]
    found: Floats = 1e-12 * active.above * np.eye(k) + 1e-300 * np.eye(k)
    return found


def _floor(problem: Problem, at: NDArray[np.intp]) -> Floats | float:
    """The value of a sum whose residuals are nothing."""
    each = float(problem.loss.values(np.array(NOTHING)))
    return each * (len(problem.model.measured) if problem.weights is None else problem.weights[at].sum(axis=1))


def _state(
    problem: Problem, at: NDArray[np.intp], residuals: Floats, slopes: Floats, pull: Floats
) -> tuple[Floats, Floats, Floats]:
    """The gradient, the value, and the second derivative of what lies above."""
    gradient = _dot(slopes, _weighted(problem, at, pull))
    value = _weighted(problem, at, problem.loss.values(residuals)).sum(axis=1)
    return gradient, value, _squared(slopes, _weighted(problem, at, problem.loss.majorants(residuals)))


def _seen(problem: Problem, at: NDArray[np.intp], theta: Floats) -> tuple[Floats, Floats]:
    predicted, slopes = residual_slopes(problem.model, problem.log, theta)
    predicted = predicted - target(problem.model, problem.log)
    if problem.shifts is not None:
        predicted -= problem.shifts[at]
    if problem.held is not None:
        slopes = slopes * ~problem.held[at][:, :, None]
    return predicted, slopes


def _weighted(problem: Problem, at: NDArray[np.intp], of_runs: Floats) -> Floats:
    return of_runs if problem.weights is None else of_runs * problem.weights[at]


def _free(problem: Problem, at: NDArray[np.intp], matrix: Floats) -> Floats:
    if problem.held is None:
        return matrix
    free = ~problem.held[at]
    return matrix * (free[:, :, None] & free[:, None, :])


def _dot(slopes: Floats, pull: Floats) -> Floats:
    found: Floats = np.matmul(slopes, pull[:, :, None])[:, :, 0]
    return found


def _squared(slopes: Floats, weight: Floats) -> Floats:
    found: Floats = np.matmul(slopes * weight[:, None, :], slopes.transpose(0, 2, 1))
    return found


def _solved(matrix: Floats, vector: Floats) -> Floats:
    """Solutions of a stack of equations; NaN where one has none."""
    found: Floats
    try:
        found = np.asarray(np.linalg.solve(matrix, vector[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:  # one of them is singular: each by itself
        found = np.full(vector.shape, np.nan)
        for i, (one, other) in enumerate(zip(matrix, vector, strict=True)):
            if np.isfinite(one).all():
                found[i] = np.linalg.lstsq(one, other, rcond=None)[0]
    return found


def _secant(bend: Floats, measure: Floats, step: Floats, change: Floats) -> Floats:
    """The symmetric matrix nearest to the last one, by a measure, that takes the step to the change."""
    side = np.matmul(measure, step[:, :, None])[:, :, 0]
    side = side / (side * step).sum(axis=1)[:, None]
    missing = change - np.matmul(bend, step[:, :, None])[:, :, 0]
    missing = missing - (0.5 * (missing * step).sum(axis=1))[:, None] * side
    both = missing[:, :, None] * side[:, None, :]
    found = bend + both + both.transpose(0, 2, 1)
    return np.asarray(np.where(np.isfinite(found).all(axis=(1, 2))[:, None, None], found, bend))
