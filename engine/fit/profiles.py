"""A minimum and some of its coordinates into how the objective grows as each is held off its best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.covariance import Local, hessian, inverse, lifted, local, spread
from runplan.engine.fit.model import Model
from runplan.engine.fit.newton import Problem, descend
from runplan.engine.fit.objective import loss_of
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats

# Of the curvature's own error: how far a coordinate is held off its best.
STEPS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0)
# The furthest that one is held off: of a logarithm, a factor of a hundred million; of a plain one, so many times what
# it is, or as far as a search looks for it.
FURTHEST = 18.0


@dataclass(frozen=True, slots=True)
class Profile:
    """The least that the objective can be while one coordinate is held, p points of it.

    Attributes:
        constant: Whose coordinate.
        held: (p), the values, in order.
        roots: (p), how unlikely each is: what would be Student's t if the form were linear, with its sign.
    """

    constant: str
    held: Floats
    roots: Floats

    def end(self, reach: float) -> float:
        """Where the root is `reach`, between its points; infinite where it does not come as far."""
        side = np.sign(reach)
        there = np.flatnonzero(side * self.roots >= abs(reach))
        if not len(there):
            return float(side * np.inf)
        first = there[0] if side > 0 else there[-1]
        last = first - int(side)
        if not 0 <= last < len(self.held):
            return float(self.held[first])
        a, b = self.roots[last], self.roots[first]
        return float(self.held[last] + (self.held[first] - self.held[last]) * (reach - a) / (b - a))


def profiles(model: Model, objective: Objective, theta: Floats, which: Sequence[int]) -> tuple[Profile, ...]:
    """D. Bates and D. Watts, Nonlinear Regression Analysis and Its Applications (1988), section 6.1.

    Args:
        theta: (k), the minimum.
        which: The coordinates that are held, one after the other.
    """
    here, k = local(model, objective, theta), len(theta)
    unit = variance(objective, here)
    cover = inverse(hessian(objective, here)) * unit
    errors = np.sqrt(np.maximum(np.diagonal(cover), 0.0))
    middle = lifted(model, theta, here)
    errors = np.where(middle == theta, errors, 1.0)
    sides = np.repeat(np.array(which, dtype=np.intp), 2)
    signs = np.tile([-1.0, 1.0], len(which))
    held = np.arange(k) == sides[:, None]
    loss = loss_of(objective, max(1e-3 * spread(here.residuals, k), 1e-14))
    problem = Problem(model, loss, objective.log, held=held)
    least = float(loss.values(here.residuals).sum())
    plain = np.array([not c.log for c in model.coordinates])
    furthest = (FURTHEST * np.maximum(problem.units, np.where(plain, np.abs(theta), 1.0)))[sides]
    along = np.where((middle == theta)[sides][:, None], cover[sides] / np.diagonal(cover)[sides][:, None], held)
    at, before = np.tile(middle, (len(sides), 1)), np.zeros(len(sides))
    found: list[tuple[Floats, Floats]] = []
    for step in STEPS:
        off = np.minimum(step * errors[sides], furthest) * signs
        # From the last point on, along what the curvature says that the others do.
        start = at + along * (off - before)[:, None]
        start[held] = middle[sides] + off
        ended = descend(problem, start, most=60)
        at, before = np.where(np.isfinite(ended.values)[:, None], ended.theta, start), off
        more = np.maximum(ended.values - least, 0.0)
        found.append((middle[sides] + off, signs * np.sqrt(2 * more / unit)))
    values, roots = (np.array(part).T for part in zip(*found, strict=True))
    return tuple(
        Profile(
            model.coordinates[i].constant,
            np.concatenate([values[2 * j][::-1], middle[i : i + 1], values[2 * j + 1]]),
            np.concatenate([roots[2 * j][::-1], np.zeros(1), roots[2 * j + 1]]),
        )
        for j, i in enumerate(which)
    )


def variance(objective: Objective, here: Local) -> float:
    """What twice the growth of the objective is to be divided by to be like a square of Student's t.

    E. Ronchetti, Robust Testing in Linear Models (1982): the mean square of the pulls over the mean bend of the loss,
    which is the variance of a residual for least squares, up to its scale.
    """
    k, n = here.slopes.shape
    loss = loss_of(objective, max(1e-3 * spread(here.residuals, k), 1e-14))
    width = max(loss.bound, 1.06 * spread(here.residuals, k) * n**-0.2)
    bend = float(np.mean(np.abs(here.residuals) <= width)) * loss.scale * min(loss.bound / float(width), 1.0)
    square = float((loss.slopes(here.residuals) ** 2).sum())
    return square / max(int(n) - int(k), 1) / max(float(bend), 1e-300)
