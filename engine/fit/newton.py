"""Starts into local minima of a sum over runs, many at once: Newton's method with a structured secant, damped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Any
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import Loss, target
from runplan.engine.fit.table import Floats

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
# Residuals, the slopes of predictions, and what these are to be multiplied with to be the slopes of residuals.
_Seen = tuple[Floats, Floats, Floats | None]

# A descent ends where its next step promises less than this share of the value.
GAIN = 1e-12
# What is taken for nothing at all, of a residual: a few units in the last place.
NOTHING = 1e-15
# The longest step of a coordinate: of a logarithm, a factor of seven.
LONGEST = 2.0
# Where damping is given up: no step is short enough.
STUCK = 1e12
MOST = 200
# Figures of one array of slopes: more of them do not stay in a processor's cache, fewer are not worth a call.
TOGETHER = 120_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Sums over runs of a function of each residual: s of them, that differ in weights, measurements or what is held.

    Attributes:
        log: Whether residuals are of logarithms.
        weights: (s, n), of each run; None where all are one.
        shifts: (s, n), what is added to what was measured, as residuals take it; None where nothing is.
        held: (s, k), which coordinates stay where they are; None where none does.
    """

    model: Model
    loss: Loss
    log: bool
    weights: Floats | None = None
    shifts: Floats | None = None
    held: Mask | None = None

    @property
    def units(self) -> Floats:
        """(k), how far coordinates go: a logarithm one, a plain one as far as a search looks for it."""
        wide = [1.0 if c.log else c.high - c.low for c in self.model.coordinates]
        return np.array([width if 0 < width < np.inf else 1.0 for width in wide])


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
        theta: (m, k), where they are; what follows is of there.
        value, gradient: (m), (m, k), of the sum.
        pull: (m, n), its derivatives by the residuals.
        inner: (m, k, k), the second derivative of least squares over the runs inside the bound of the loss.
        above: (m, k, k), the same of a sum of parabolas that lies above the sum and touched it at the start.
        bend: (m, k, k), the part of the second derivative that is the runs' own curvature.
        damping: (m), how much of `above` is added.
        steps: (m), how many were tried.
    """

    at: Places
    theta: Floats
    value: Floats
    gradient: Floats
    pull: Floats
    inner: Floats
    above: Floats
    bend: Floats
    damping: Floats
    steps: Places

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
    update is measured by, and the step damped by, the second derivative of parabolas above the loss: it is positive
    definite, whichever runs are inside, and turns with the coordinates. What a descent comes to depends on nothing but
    its own start and sum.

    Args:
        most: Steps that are tried of one descent.
        gain: A descent ends where its next step promises less than this share of its value.
    """
    s, k = theta.shape
    together = max(4, TOGETHER // (k * len(problem.model.measured)))
    found = Descended(theta.copy(), np.full(s, np.inf), np.full(s, np.inf))
    active = _begun(problem, np.arange(0), theta[:0])
    begun = 0
    floor = float(problem.loss.values(np.array(NOTHING))) * len(problem.model.measured)
    with np.errstate(all="ignore"):
        while begun < s or len(active.at):
            if begun < s and len(active.at) <= together // 2:
                more = np.arange(begun, min(s, begun + together - len(active.at)))
                begun = int(more[-1]) + 1
                active = active.joined(_begun(problem, more, theta[more]))
            promised, over = _advance(problem, active, gain, floor)
            over |= active.steps >= most
            if over.any():
                at = active.at[over]
                found.theta[at], found.values[at] = active.theta[over], active.value[over]
                found.gains[at] = promised[over]
                active = active.kept(~over)
    return Descended(found.theta, np.where(np.isnan(found.values), np.inf, found.values), found.gains)


def _begun(problem: Problem, at: Places, theta: Floats) -> _Active:
    """Descents at their starts."""
    with np.errstate(all="ignore"):
        seen = _residuals(problem, at, theta)
        value, gradient, pull, inner, _ = _sums(problem, at, seen, np.zeros_like(seen[0]))
        above = _above(problem, at, seen)
    damping, steps = np.full(len(at), 0.1), np.zeros(len(at), dtype=np.intp)
    return _Active(at, theta, value, gradient, pull, inner, above, np.zeros_like(inner), damping, steps)


def _advance(problem: Problem, active: _Active, gain: float, floor: float) -> tuple[Floats, Mask]:
    """One step of each, in place: what it promised, and whether it was the last."""
    step, promised = _step(problem, active)
    downhill = (promised >= 0) & np.isfinite(promised)
    step = np.where(downhill[:, None], step, 0.0)
    tried = active.theta + step
    seen = _residuals(problem, active.at, tried)
    value, gradient, pull, inner, before = _sums(problem, active.at, seen, active.pull)
    ratio = (active.value - value) / np.where(promised > 0, promised, 1.0)
    better = downhill & (value <= active.value) & ((ratio > 1e-4) | (promised == 0))
    bend = _secant(active.bend, active.above, step, before - active.gradient)
    over = downhill & (promised <= np.maximum(gain * active.value, floor))
    over &= active.damping < 1e-3
    over |= (active.damping > STUCK) | ~np.isfinite(active.value)
    less = np.where(active.damping < 1e-4, 0.0, active.damping * 0.1)
    kept = np.where(ratio > 0.5, less, np.where(ratio < 0.1, active.damping * 2, active.damping))
    active.damping = np.where(better, kept, np.maximum(active.damping * 4, 0.03))
    active.steps += 1
    back = np.flatnonzero(~better)
    for name, new in (
        ("theta", tried),
        ("value", value),
        ("gradient", gradient),
        ("pull", pull),
        ("inner", inner),
        ("bend", bend),
    ):
        new[back] = getattr(active, name)[back]
        setattr(active, name, new)
    return np.where(downhill, promised, np.inf), over


def _step(problem: Problem, active: _Active) -> tuple[Floats, Floats]:
    """(m, k) steps, and what they promise; negative or NaN where there is none downhill."""
    k = active.theta.shape[1]
    matrix = active.inner + active.bend + (active.damping[:, None, None] + 1e-16) * active.above
    # The logarithm of a term has the term as slope and as bend: so one that vanishes, of which the runs say nothing
    # else, moves by one and not by what is divided by nothing.
    matrix += np.eye(k) * (np.abs(active.gradient) / problem.units + 1e-300)[:, None, :]
    if problem.held is not None:
        matrix += problem.held[active.at][:, :, None] * np.eye(k)
    step = -_solved(matrix, active.gradient)
    promised = -0.5 * (active.gradient * step).sum(axis=1)
    return step / np.maximum(np.abs(step).max(axis=1) / LONGEST, 1.0)[:, None], promised


def _sums(problem: Problem, at: Places, seen: _Seen, pull: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The value, the gradient, the pull, the inner part, and the gradient under another pull."""
    loss = problem.loss
    r, slopes, unit = seen
    now = loss.slopes(r)
    each, inside = now * (r - now * (0.5 / loss.scale)), loss.curvatures(r)
    if problem.weights is not None:
        weight = problem.weights[at]
        each *= weight
        inside *= weight
        now *= weight
    both = np.empty((len(at), 2, r.shape[1]))
    if unit is None:
        both[:, 0], both[:, 1] = now, pull
    else:
        np.multiply(now, unit, out=both[:, 0])
        np.multiply(pull, unit, out=both[:, 1])
        inside *= unit
        inside *= unit
    gradients = np.matmul(both, slopes.transpose(0, 2, 1))
    inner = np.matmul(slopes * inside[:, None, :], slopes.transpose(0, 2, 1))
    return each.sum(axis=1), gradients[:, 0].copy(), now, inner, gradients[:, 1]


def _above(problem: Problem, at: Places, seen: _Seen) -> Floats:
    """The second derivative of the sum of parabolas that touches the sum where it is, and lies above it elsewhere."""
    r, slopes, unit = seen
    weight = problem.loss.majorants(r)
    if problem.weights is not None:
        weight *= problem.weights[at]
    if unit is not None:
        weight *= unit * unit
    found: Floats = np.matmul(slopes * weight[:, None, :], slopes.transpose(0, 2, 1))
    return found


def _residuals(problem: Problem, at: Places, theta: Floats) -> _Seen:
    """What is seen at coordinates."""
    predicted, slopes = problem.model.slopes(theta)
    r = (np.log(predicted) if problem.log else predicted) - target(problem.model, problem.log)
    if problem.shifts is not None:
        r -= problem.shifts[at]
    if problem.held is not None:
        slopes = slopes * ~problem.held[at][:, :, None]
    return r, slopes, 1 / predicted if problem.log else None


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
