"""Runs and their sizes into how well the smaller ones tell the larger, and what a forecast has to allow for it."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.covariance import local, sandwich, spread
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import residual_slopes, residuals
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.search import searched
from runplan.engine.fit.table import Floats

# The fits are to the runs up to the largest size over each of these.
BACK = (2.0, 5.0, 15.0, 50.0)
# Points from which each search sets out.
STARTS = 16


@dataclass(frozen=True, slots=True)
class Future:
    """How runs came out that a fit to the smaller ones forecast, m of them over all cuts.

    Attributes:
        errors: (m), forecast over measurement, as a logarithm.
        distances: (m), the size of the run over that of the largest that the fit saw, as a logarithm.
        variances: (m), of the error, that the fit itself expected: from its constants and from what it leaves.
    """

    errors: Floats
    distances: Floats
    variances: Floats

    @property
    def error(self) -> float:
        """The root mean square of the errors."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def drift(self) -> float:
        """By how much a forecast errs more than expected for each e-fold beyond the largest run: standard deviation.

        Where a run came out nearer than expected it takes nothing back: a form that fails in one place fails.
        """
        more = np.maximum(self.errors**2 - self.variances, 0.0)
        return float(np.sqrt(more.sum() / np.sum(self.distances**2)))


def future(model: Model, objective: Objective, sizes: Floats) -> Future | None:
    """Fits to the runs below each of a few sizes, and what they make of those above; None where there are too few.

    Args:
        sizes: (n), of runs: compute, or what else is larger for the runs that are forecast.
    """
    log = np.log(sizes)
    # What there is up to each cut, once.
    counts = {int((log <= cut).sum()): cut for cut in log.max() - np.log(BACK)}
    least = len(model.coordinates) + 2
    cuts = [log[log <= cut].max() for count, cut in counts.items() if count >= least]
    found = [some for cut in cuts if (some := _beyond(model, objective, log, float(cut))) is not None]
    if not found:
        return None
    errors, distances, variances = (np.concatenate(part) for part in zip(*found, strict=True))
    return Future(errors, distances, variances)


def _beyond(model: Model, objective: Objective, log: Floats, cut: float) -> tuple[Floats, Floats, Floats] | None:
    """The errors beyond a cut, their distances from it, and their expected variances."""
    below, above = model.rows(log <= cut), model.rows(log > cut)
    minima = searched(below, objective, STARTS).minima
    if not minima:
        return None
    theta = minima[0].theta
    here = local(below, objective, theta)
    covariance = sandwich(objective, here)
    _, slopes = residual_slopes(above, True, theta[None])
    noise = spread(local(below, Objective(log=True), theta).residuals, len(theta))
    variances = np.einsum("kn,kl,ln->n", slopes[0], covariance, slopes[0]) + noise**2
    return residuals(above, True, theta[None])[0], log[log > cut] - cut, variances
