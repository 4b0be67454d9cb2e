"""A model of runs and an objective into what the runs tell of its constants."""

from __future__ import annotations

import numpy as np

from runplan.engine.fit.covariance import Local, local, sandwich
from runplan.engine.fit.model import Coordinate, Model
from runplan.engine.fit.outcome import Fitted, Interval, Known, Objective
from runplan.engine.fit.search import STARTS, searched
from runplan.engine.fit.table import Floats

COVERAGES = (0.8, 0.95)


def fit(model: Model, objective: Objective, *, starts: int = STARTS) -> Fitted:
    """The constants that make an objective small, and how well the runs tell them.

    Args:
        starts: Points from which the search sets out.
    """
    found = searched(model, objective, starts)
    best = found.minima[0]
    here = local(model, objective, best.theta)
    covariance = sandwich(objective, here)
    return Fitted(
        model.coordinates,
        objective,
        found.minima,
        found.starts,
        covariance,
        np.empty((0, len(best.theta))),
        known(model.coordinates, best.theta, covariance, _freedom(here)),
        here.residuals,
    )


def known(coordinates: tuple[Coordinate, ...], theta: Floats, covariance: Floats, freedom: int) -> tuple[Known, ...]:
    """Intervals by Student's t, whose degrees of freedom are the runs that the coordinates leave over."""
    from scipy.special import stdtrit  # where there is a bootstrap, nothing else needs it

    errors = np.sqrt(np.diagonal(covariance))
    half = {coverage: float(stdtrit(freedom, (1 + coverage) / 2)) for coverage in COVERAGES}
    return tuple(
        Known(
            float(error),
            {
                coverage: Interval(float(at - times * error), float(at + times * error))
                for coverage, times in half.items()
            },
        )
        for at, error in zip(theta, errors, strict=True)
    )


def _freedom(here: Local) -> int:
    k, n = here.slopes.shape
    return max(int(n) - int(k), 1)
