"""What is known of a form, and how larger runs came out, into how far its forecasts run away beyond the largest run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.covariance import usual
from runplan.engine.fit.fisher import beyond
from runplan.engine.fit.model import Model
from runplan.engine.fit.objective import residual_slopes
from runplan.engine.fit.table import Floats
from runplan.engine.problem.parts import QUANTILE

# How far a form that does not hold is off of what a larger run gains, as a share of that, where its law says nothing
# (`drifts`); and the degrees of freedom of Student's t that this is the scale of.
SHARE, FREEDOM = 0.25, 4.0
# Values of the drift that are weighed, over the expected one.
GRID = np.geomspace(1e-3, 10.0, 161)
# Where a form does not hold, the chance p of what it leaves is of density ROOT * p^(ROOT - 1). Chosen, not fitted: half
# of such forms leave a p below 0.001, as misfits on public ladders mostly do.
ROOT = 0.1
# The odds of a form before a run is seen: one in thirty. Chosen, too: with even odds, intervals of 80 % held a quarter
# of what larger public runs came to under Chinchilla's form, and seven in ten under Skaling's and IsoFLOP's.
ODDS = 0.03
# How far ahead an interval is to hold, over the largest run.
AHEAD = 10.0
# What may say how large a run is, the first choice first, and runs that are as large as the largest, nearly.
BY_SIZE = (("compute",), ("params", "tokens"), ("tokens",), ("params",))
LARGEST = 2.0
# Residuals beyond so many usual ones count as that; directions whose share of a second-order term is less are none.
FAR, NONE = 3.0, 0.02


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of a form before larger runs are forecast.

    Attributes:
        scale: By how much forecasts of a form that does not hold err for each e-fold: a scale, of logarithms.
        holds: The chance that the form holds.
        own: The standard deviation of a forecast at `AHEAD` times the largest run by its constants and noise alone.
    """

    scale: float
    holds: float = 0.0
    own: float = 0.0


def prior_of(model: Model, theta: Floats, covariance: Floats, residuals: Floats, sizes: Floats, share: float) -> Prior:
    """What a fit tells of its form.

    That it holds is unlikely before (`ODDS`), and then what the residuals say counts: by Bayes' factor of a p-value,
    T. Sellke, M. Bayarri and J. Berger, Calibration of p Values for Testing Precise Null Hypotheses, The American
    Statistician 55 (2001), section 3.

    Args:
        covariance: (k, k), of the coordinates.
        residuals: (n), of logarithms.
        share: How far forms of its kind that did not hold were off of what a larger run gains.
    """
    gain, own = _farther(model, theta, covariance, sizes)
    noise = usual(residuals, len(theta))
    chance = bend_chance(model, theta, residuals)
    odds = ODDS * (1.0 if chance is None else chance ** (1 - ROOT) / ROOT)
    return Prior(share * gain, odds / (1 + odds), math.hypot(own, noise))


def _farther(model: Model, theta: Floats, covariance: Floats, sizes: Floats) -> tuple[float, float]:
    """By how much the logarithm of what is forecast changes for each e-fold beyond the largest runs, and how uncertain
    constants leave it at `AHEAD` times them; 0 where inputs do not tell how large a run is.
    """
    names = next((names for names in BY_SIZE if model.inputs.keys() >= set(names)), ())
    largest = sizes >= sizes.max() / LARGEST
    now = {name: values[largest] for name, values in model.inputs.items()}

    def over(by: float) -> tuple[Floats, Floats]:
        more = {name: values * by ** (1 / len(names)) if name in names else values for name, values in now.items()}
        predicted, slopes = residual_slopes(model.at(more), True, theta[None])
        return predicted[0], slopes[0]

    if not names:
        return 0.0, 0.0
    with np.errstate(all="ignore"):
        slopes = over(AHEAD)[1]
        gain = abs(float(np.median(over(math.e)[0] - over(1.0)[0])))
        own = math.sqrt(max(float(np.median(np.einsum("kn,kl,ln->n", slopes, covariance, slopes))), 0.0))
    return gain if math.isfinite(gain) else 0.0, own if math.isfinite(own) else 0.0


def bend_chance(model: Model, theta: Floats, residuals: Floats) -> float | None:
    """The chance, where a form holds, that terms of second order in the logarithms of its inputs (of third, too, where
    it has one input) take as much off what it leaves; None where that is too little to tell, or it has them itself.

    N. Draper and H. Smith, Applied Regression Analysis (1998), section 6.1: the extra sum of squares.

    Args:
        residuals: (n), of logarithms.
    """
    slopes = residual_slopes(model, True, theta[None])[1][0].T
    terms = _terms(model.inputs)
    n, k = slopes.shape
    far = FAR * usual(residuals, k)
    if not len(terms) or not far > 0.0 or not np.isfinite(slopes).all():
        return None
    basis = np.linalg.qr(slopes)[0]
    left, more = (own - basis @ (basis.T @ own) for own in (np.clip(residuals, -far, far), terms.T))
    directions, sizes, _ = np.linalg.svd(more, full_matrices=False)
    directions = directions[:, sizes > NONE * math.sqrt(n)]
    m = directions.shape[1]
    if not m or n - k - m < 1:
        return None
    taken = float(((directions.T @ left) ** 2).sum())
    rest = max(float(left @ left) - taken, 1e-300)
    return beyond(taken / m / (rest / (n - k - m)), m, n - k - m)


def _terms(inputs: Mapping[str, Floats]) -> Floats:
    """(m, n), the products of two of the logarithms of inputs, each with a spread of one."""
    logs = [np.log(values) for values in inputs.values() if (values > 0).all() and np.ptp(np.log(values)) > 0.0]
    logs = [(log - log.mean()) / log.std() for log in logs]
    found = [logs[i] * logs[j] for i in range(len(logs)) for j in range(i + 1)]
    return np.array([*found, logs[0] ** 3] if len(logs) == 1 else found)


def drift_of(prior: Prior, trends: Sequence[tuple[float, float]]) -> float:
    """By how much a forecast errs more than its constants and noise explain for each e-fold beyond the largest run: the
    standard deviation by which an interval of 80 % is one at `AHEAD` times that.

    A random effect, as of trials (R. DerSimonian and N. Laird, Meta-analysis in Clinical Trials, 1986) that may be
    none: where a form was held to runs far beyond those that it saw, and hit them, little is left of what is expected
    of one that does not hold; where it was not, that is all.

    Args:
        trends: Of forecasts of larger runs by smaller ones: the error for each e-fold, and the variance expected of it.
    """
    if not prior.scale > 0.0:
        return 0.0
    tried = np.concatenate([[0.0], prior.scale * GRID])
    # The prior, of Student's kind, is over the drift; the grid is even in its logarithm.
    off = GRID * (1 + GRID**2 / FREEDOM) ** (-(FREEDOM + 1) / 2)
    with np.errstate(divide="ignore"):
        weight = np.log(np.concatenate([[prior.holds], (1 - prior.holds) * off / off.sum()]))
    for trend, variance in trends:
        whole = variance + tried**2
        weight -= 0.5 * (np.log(whole) + trend**2 / whole)
    chance = np.exp(weight - weight.max())
    chance /= chance.sum()
    reach = math.log(AHEAD)
    whole = np.hypot(prior.own, tried * reach)
    least = _within(chance, np.maximum(whole, 1e-300))
    return math.sqrt(max(least**2 - prior.own**2, 0.0)) / reach


def _within(chance: Floats, sizes: Floats) -> float:
    """The standard deviation whose interval of 80 % is one of a mixture of normal distributions, by bisection."""
    low, high = 0.0, float(sizes.max())
    for _ in range(60):
        middle = (low + high) / 2
        inside = sum(
            p * math.erf(QUANTILE * middle / size / math.sqrt(2))
            for p, size in zip(chance.tolist(), sizes.tolist(), strict=True)
        )
        low, high = (middle, high) if inside < 2 * 0.9 - 1 else (low, middle)
    return high
