"""A minimum into how well the runs tell its coordinates, from the slopes alone."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import loss_of, residual_slopes, target
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats
from runplan.engine.problem.parts import QUANTILE

# Median absolute deviation over standard deviation, of a normal distribution.
NORMAL_MAD = 0.6744897501960817
# So many of the residuals tell what is usual: `QUANTILE` standard deviations of a normal distribution.
MOST = 0.8
# Of a coordinate of size one; the third derivative then costs as many digits as rounding.
SHIFT = 1e-5
# A term that makes up less of every run than this is as good as nothing.
LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Local:
    """What a sum over runs looks like around a point.

    Attributes:
        residuals: (n).
        slopes: (k, n), of residuals.
        bend: (n, k, k), their second derivatives.
    """

    residuals: Floats
    slopes: Floats
    bend: Floats


def local(model: Model, objective: Objective, theta: Floats) -> Local:
    """The residuals of (k) coordinates with their first two derivatives; the second are differences of the first."""
    k = len(theta)
    moved = theta + SHIFT * np.concatenate([np.zeros((1, k)), np.eye(k), -np.eye(k)])
    predicted, slopes = residual_slopes(model, objective.log, moved)
    bend = (slopes[1 : k + 1] - slopes[k + 1 :]) / (2 * SHIFT)
    bend = 0.5 * (bend + bend.transpose(1, 0, 2))
    # A term that has vanished may be beyond all bounds a step away, of which no derivative is had: here it is flat.
    bend = np.where(np.abs(bend) * SHIFT**2 < 1.0, bend, 0.0)
    return Local(predicted[0] - target(model, objective.log), slopes[0], bend.transpose(2, 0, 1))


def lifted(model: Model, theta: Floats, here: Local) -> Floats:
    """(k) coordinates in which no term has all but vanished: from nothing, no slope leads anywhere.

    Where a positive constant is nothing at the minimum, its logarithm is far below all that matters. It is put where it
    makes up a hundredth of some run.
    """
    share = np.abs(here.slopes).max(axis=1)
    low = np.array([c.log for c in model.coordinates]) & (share < LEAST)
    return np.where(low, theta + np.log(LEAST / np.maximum(share, 1e-300)), theta)


def spread(residuals: Floats, constants: int) -> float:
    """The usual size of residuals, as a standard deviation: by their median, so that a few outliers do not tell."""
    n = len(residuals)
    size = float(np.median(np.abs(residuals))) / NORMAL_MAD
    return size * float(np.sqrt(n / max(n - constants, 1)))


def usual(residuals: Floats, constants: int) -> float:
    """The standard deviation of residuals that may have long tails: by those within which most of them are.

    Unlike the median it holds where constants are many beside the runs: Huber's loss with a small delta goes through
    as many runs as there are constants, and a half of nothings would tell no noise at all.
    """
    n = len(residuals)
    return float(np.quantile(np.abs(residuals), MOST) / QUANTILE * np.sqrt(n / max(n - constants, 1)))


def hessian(objective: Objective, here: Local) -> Floats:
    """(k, k), the second derivative of the sum, of a loss as smooth as the runs can tell it.

    Where the loss bends within less than residuals are apart, its bend is spread over their distance: J. Powell,
    Least Absolute Deviations Estimation for the Censored Regression Model, J. Econometrics 25 (1984), section 5.
    """
    k, n = here.slopes.shape
    loss = loss_of(objective)
    width = max(loss.bound, 1.06 * spread(here.residuals, k) * n**-0.2)
    pulls = loss.slopes(here.residuals)
    inside = (np.abs(here.residuals) <= width) * (loss.scale * loss.bound / width)
    found: Floats = (here.slopes * inside) @ here.slopes.T + np.tensordot(pulls, here.bend, 1)
    return found


def sandwich(objective: Objective, here: Local) -> Floats:
    """(k, k), the covariance of the coordinates.

    P. J. Huber, The Behavior of Maximum Likelihood Estimates under Nonstandard Conditions (1967), with n / (n - k) for
    the runs that the coordinates use up. Infinite in the directions that the runs do not tell.
    """
    k, n = here.slopes.shape
    pulls = loss_of(objective).slopes(here.residuals)
    middle = (here.slopes * pulls**2) @ here.slopes.T * (n / max(n - k, 1))
    bread = inverse(hessian(objective, here))
    found: Floats = bread @ middle @ bread
    return found


def influence(objective: Objective, here: Local) -> Floats:
    """(k, n), by how much one run more of each would move the coordinates, to first order."""
    found: Floats = -inverse(hessian(objective, here)) @ (here.slopes * loss_of(objective).slopes(here.residuals))
    return found


def inverse(matrix: Floats) -> Floats:
    """Of a symmetric matrix; directions that it does not tell from nothing get a large value instead of an infinite."""
    size = np.sqrt(np.maximum(np.abs(np.diagonal(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    values = np.maximum(values, 1e-13 * max(float(values.max()), 1e-300))
    found: Floats = (vectors / values) @ vectors.T / np.outer(size, size)
    return found
