"""A fit and runs that are yet to be made into what they will give, with intervals."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import residual_slopes
from runplan.engine.fit.outcome import Fitted
from runplan.engine.fit.table import Floats


@dataclass(frozen=True, slots=True)
class Ahead:
    """What runs will give, m of them, in the unit of what was measured.

    Attributes:
        values: By the best constants.
        low, high: Between them a run's own outcome lies at the coverage asked for.
        constants, noise, drift: (m), standard deviations that make up the interval: of what the runs leave open of the
            constants, of a run about the form, and of the form itself beyond the largest run; of logarithms where the
            objective is.
    """

    values: Floats
    low: Floats
    high: Floats
    constants: Floats
    noise: Floats
    drift: Floats


def ahead(fitted: Fitted, at: Model, distances: Floats, coverage: float = 0.8) -> Ahead:
    """What runs will give.

    Three things are uncertain, and taken as independent. What the draws of a bootstrap say of the constants is kept as
    skew as it is: each end of the interval is as far out as the three together.

    Args:
        at: The form over those runs.
        distances: (m), the size of each over that of the largest run of the fit, as a logarithm; a smaller one has 0.
        coverage: From 0 to 1.
    """
    from statistics import NormalDist

    log, theta = fitted.objective.log, fitted.minima[0].theta
    predicted, slopes = residual_slopes(at, log, theta[None])
    middle, slopes = predicted[0], slopes[0]
    reach = NormalDist().inv_cdf((1 + coverage) / 2)
    if len(fitted.draws):
        drawn, _ = residual_slopes(at, log, fitted.draws)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        low, high = np.quantile(drawn, [(1 - coverage) / 2, (1 + coverage) / 2], axis=0)
        down, up = np.maximum(middle - low, 0.0), np.maximum(high - middle, 0.0)
        constants = drawn.std(axis=0)
    else:
        constants = np.sqrt(np.maximum(np.einsum("kn,kl,ln->n", slopes, fitted.covariance, slopes), 0.0))
        down = up = reach * constants
    n, k = len(fitted.residuals), len(theta)
    # Of the residuals as they are, which may have long tails: so many of them lie within.
    within = float(np.quantile(np.abs(fitted.residuals), coverage)) * np.sqrt(n / max(n - k, 1))
    noise = np.full(len(middle), np.hypot(within / reach, fitted.scatter))
    drift = (fitted.drift or 0.0) * np.maximum(distances, 0.0)
    if not log:
        drift = drift * np.abs(middle)
    rest = reach * np.hypot(noise, drift)
    ends = middle, middle - np.hypot(down, rest), middle + np.hypot(up, rest)
    values, low, high = (np.exp(end) for end in ends) if log else ends
    return Ahead(values, low, high, constants, noise, drift)
