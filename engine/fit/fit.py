"""A model of runs and an objective into what the runs tell of its constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runplan.engine.fit.bootstrap import DRAWS, drawn, resampled
from runplan.engine.fit.covariance import Local, local, sandwich
from runplan.engine.fit.model import Model
from runplan.engine.fit.outcome import Fitted, Interval, Known, Objective
from runplan.engine.fit.search import STARTS, searched
from runplan.engine.fit.table import Floats
from runplan.engine.scatter.work import Workers

COVERAGES = (0.8, 0.95)


def fit(
    model: Model,
    objective: Objective,
    *,
    starts: int = STARTS,
    bootstrap: int = DRAWS,
    seed: int = 0,
    groups: NDArray[np.intp] | None = None,
    workers: Workers | None = None,
) -> Fitted:
    """The constants that make an objective small, and how well the runs tell them.

    Args:
        starts: Points from which the search sets out.
        bootstrap: Fits to runs drawn anew; with none, intervals are by the slopes alone.
        seed: Of those draws.
        groups: (n), runs of one number are not independent of each other, and are drawn together.
        workers: Who makes the draws; this process where nobody is named. What comes out does not depend on it.
    """
    found = searched(model, objective, starts)
    theta = found.minima[0].theta
    here = local(model, objective, theta)
    draws = drawn(resampled(model, objective, theta, here, seed, groups), bootstrap, workers)
    covariance = np.cov(draws, rowvar=False) if bootstrap else sandwich(objective, here)
    return Fitted(
        model.coordinates,
        objective,
        found.minima,
        found.starts,
        np.atleast_2d(covariance),
        draws,
        _by_draws(draws) if bootstrap else _by_slopes(theta, covariance, here),
        here.residuals,
    )


def _by_draws(draws: Floats) -> tuple[Known, ...]:
    """Intervals by the percentiles of a bootstrap, which do not depend on whether a constant or its log is drawn."""
    ends = {c: np.quantile(draws, [(1 - c) / 2, (1 + c) / 2], axis=0) for c in COVERAGES}
    return tuple(
        Known(float(error), {c: Interval(float(low[i]), float(high[i])) for c, (low, high) in ends.items()})
        for i, error in enumerate(draws.std(axis=0))
    )


def _by_slopes(theta: Floats, covariance: Floats, here: Local) -> tuple[Known, ...]:
    """Intervals by Student's t, whose degrees of freedom are the runs that the coordinates leave over."""
    from scipy.special import stdtrit  # where there is a bootstrap, nothing needs it

    k, n = here.slopes.shape
    half = {coverage: float(stdtrit(max(n - k, 1), (1 + coverage) / 2)) for coverage in COVERAGES}
    return tuple(
        Known(float(error), {c: Interval(float(at - t * error), float(at + t * error)) for c, t in half.items()})
        for at, error in zip(theta, np.sqrt(np.diagonal(covariance)), strict=True)
    )
