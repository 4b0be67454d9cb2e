"""Residuals into what a fit makes small, with its first and second derivatives by each residual."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.model import Model
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats


@dataclass(frozen=True, slots=True)
class Loss:
    """Huber's function of a residual r, times a scale: r^2/2 up to a bound, and a line from there on.

    P. J. Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35 (1964), eq. 1.

    Attributes:
        bound: Infinite for least squares.
        scale: 2 for least squares, whose sum is that of r^2; one over the bound where it stands in for |r|.
    """

    bound: float
    scale: float = 1.0

    def values(self, r: Floats) -> Floats:
        """Of each residual; infinite where there is none."""
        size = np.abs(r)
        inside = np.minimum(size, self.bound)
        found = inside * (size - 0.5 * inside) * self.scale
        return np.asarray(np.where(np.isfinite(size), found, np.inf), dtype=np.float64)

    def slopes(self, r: Floats) -> Floats:
        """The first derivative by each residual."""
        return np.asarray(np.clip(r, -self.bound, self.bound) * self.scale, dtype=np.float64)

    def curvatures(self, r: Floats) -> Floats:
        """The second derivative by each residual: none beyond the bound."""
        found: Floats = np.where(np.abs(r) <= self.bound, self.scale, 0.0)
        return found

    def majorants(self, r: Floats) -> Floats:
        """The second derivative of the parabola that touches the function at a residual and lies above it elsewhere."""
        found: Floats = self.scale * self.bound / np.maximum(np.abs(r), self.bound)
        return found


SQUARES = Loss(np.finfo(np.float64).max ** 0.5, 2.0)


def loss_of(objective: Objective, bound: float | None = None) -> Loss:
    """The function that an objective sums.

    Args:
        bound: Where a line stands in for |r|: the sum is then below that of |r| by half of it for each run, at most.
    """
    if objective.kind == "squares":
        return SQUARES
    if objective.kind == "huber":
        return Loss(objective.delta)
    bound = objective.delta if bound is None else bound
    return Loss(bound, 1 / bound)


def total(objective: Objective, residuals: Floats) -> Floats:
    """(…, n) residuals into the sum that is made small, (…), of |r| itself where that is asked for."""
    each = np.abs(residuals) if objective.kind == "absolute" else loss_of(objective).values(residuals)
    found: Floats = each.sum(axis=-1)
    return found


def target(model: Model, log: bool) -> Floats:
    """(n), what predictions are held to: what was measured, or its logarithm."""
    return np.log(model.measured) if log else model.measured


def residuals(model: Model, log: bool, theta: Floats) -> Floats:
    """(s, k) coordinates into (s, n) residuals: prediction less measurement, of logarithms where it says so."""
    with np.errstate(all="ignore"):
        predicted = model.predicted(theta)
        return (np.log(predicted) if log else predicted) - target(model, log)


def residual_slopes(model: Model, log: bool, theta: Floats) -> tuple[Floats, Floats]:
    """(s, k) coordinates into (s, n) predictions as residuals take them, and their (s, k, n) derivatives.

    A term that has vanished moves nothing: its slope may be nothing times what is beyond all bounds.
    """
    with np.errstate(all="ignore"):
        predicted, slopes = model.slopes(theta)
        slopes = np.where(np.isnan(slopes) & np.isfinite(predicted)[:, None, :], 0.0, slopes)
        if not log:
            return predicted, slopes
        return np.log(predicted), slopes / predicted[:, None, :]
