"""A model of runs and an objective into what the runs tell of its constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.engine.fit.bootstrap import DRAWS, drawn, joint, resampled
from runplan.engine.fit.covariance import Local, inverse, lifted, local, sandwich, usual
from runplan.engine.fit.doubts import of_constants, of_future, of_residuals, of_search, rounding
from runplan.engine.fit.drift import SHARE, drift_of, prior_of
from runplan.engine.fit.future import NOWHERE, Future, future
from runplan.engine.fit.heads import Head
from runplan.engine.fit.identify import untold
from runplan.engine.fit.lack import Noise, pooled, repeats
from runplan.engine.fit.model import Model
from runplan.engine.fit.next_run import next_by_size
from runplan.engine.fit.objective import residuals
from runplan.engine.fit.outcome import Fitted, Interval, Known, Minimum, NextRun, Objective
from runplan.engine.fit.profiles import profiles
from runplan.engine.fit.rank import nulls, of_rank
from runplan.engine.fit.search import STARTS, searched
from runplan.engine.fit.student import student
from runplan.engine.fit.table import Floats
from runplan.engine.fit.told import USUAL, adds_nothing, left_open, near, of_minima, of_nothing, widened
from runplan.engine.scatter.work import Workers

COVERAGES = (0.8, 0.95)
# A coordinate with a standard error above this is looked at along its profile: of a logarithm, a factor of two.
DOUBTFUL = 0.7


def fit(
    model: Model,
    objective: Objective,
    *,
    starts: int = STARTS,
    bootstrap: int = DRAWS,
    seed: int = 0,
    groups: NDArray[np.intp] | None = None,
    workers: Workers | None = None,
    sizes: Floats | None = None,
    share: float = SHARE,
    noise: Noise | None = None,
    labels: Sequence[str] = (),
    at: Span = NOWHERE,
    heads: Mapping[str, Head] | None = None,
) -> Fitted:
    """The constants that make an objective small, and how well the runs tell them.

    Args:
        starts: Points from which the search sets out.
        bootstrap: Fits to runs drawn anew; with none, intervals are by the slopes alone.
        seed: Of those draws.
        groups: (n), runs of one number are not independent of each other, and are drawn together.
        workers: Who makes the draws; this process where nobody is named. What comes out does not depend on it.
        sizes: (n), by which one run is larger than another, such as compute: with it the larger are forecast from the
            smaller.
        share: How far forms of its kind were off of what a larger run gains.
        noise: How uncertain what was measured is, where more than this fit tells it: of least squares alone.
        labels: (n), what runs are called; by their numbers where nothing is said.
        at: Where the runs stand in their file: what findings point at.
        heads: What figures are called there, by their names in the model.
    """
    if reasons := untold(model, at, heads or {}):
        return _refused(model, objective, 0, *reasons)
    found = searched(model, objective, starts)
    doubts = [*of_search(found, at)]
    if not found.minima:
        return _refused(model, objective, found.starts, *doubts)
    theta = found.minima[0].theta
    here = local(model, objective, theta)
    free = nulls(model, objective, theta)
    idle = [*of_nothing(model, theta, at)] if free or adds_nothing(here) else []
    if idle or free:
        return _refused(model, objective, found.starts, *(idle or of_rank(model.coordinates, theta, free, at)))
    both = pooled(noise, here.residuals, len(theta)) if noise is not None and objective.kind == "squares" else None
    reaches = _reaches(here, both)
    others = near(objective, found.minima, here, reaches[USUAL])
    cover = sandwich(objective, here) if both is None else both.size**2 * inverse(here.slopes @ here.slopes.T)
    known = _looked_at(model, objective, found.minima[0], here, _by_slopes(theta, cover, here, both), reaches)
    doubts += of_minima(model.coordinates, found.minima[0], known, others, at)
    seen = widened(known, others, reaches)
    doubts += left_open(model, objective, found.minima, here, seen, others, reaches, at)
    if any(one.severity == "error" for one in doubts):
        return _refused(model, objective, found.starts, *doubts)
    draws, covariance = np.empty((0, len(theta))), cover
    if bootstrap:
        draws = drawn(resampled(model, objective, theta, here, seed, groups, both), bootstrap, workers)
        covariance = joint(model, objective.log, theta, here, draws)
        known = _looked_at(model, objective, found.minima[0], here, _by_draws(draws, covariance), reaches)
    known = widened(known, others, reaches)
    repeated = repeats(model.inputs, here.residuals, len(theta))
    later = None if sizes is None else future(model, objective, theta, sizes)
    drift = None if later is None or sizes is None else _drift(model, theta, covariance, sizes, share, later)
    figures = model.inputs if sizes is None else {**model.inputs, "compute": sizes}
    doubts += of_constants(model.coordinates, known, covariance, at)
    doubts += of_residuals(figures, here, rounding(model, objective.log), repeated, labels, at)
    doubts += [] if later is None or not later.cuts else of_future(later, drift, at)
    made = Fitted(
        model.coordinates,
        objective,
        found.minima,
        found.starts,
        covariance,
        draws,
        known,
        here.residuals,
        usual=usual(here.residuals, len(theta)) if both is None else both.size,
        noise=None if repeated is None else repeated.noise,
        lack_of_fit=None if repeated is None else (repeated.ratio, repeated.chance),
        future_error=None if later is None else later.error,
        drift=drift,
        scatter=0.0 if later is None else later.scatter,
        findings=tuple(doubts),
    )
    if float(np.abs(here.residuals).max()) < rounding(model, objective.log):
        return made
    made = replace(made, next_run=next_by_size(model, made))
    if made.next_run is None or all(one.identified for one in known):
        return made
    told = _helpful(model, made.next_run)
    helped = (replace(one, help=(*one.help, told)) if one.code == "F024" else one for one in doubts)
    return replace(made, findings=tuple(helped))


def _drift(model: Model, theta: Floats, covariance: Floats, sizes: Floats, share: float, later: Future) -> float | None:
    """By how much forecasts err more for each e-fold beyond the largest run; None where nothing says which that is."""
    left = residuals(model, True, theta[None])[0]
    prior = prior_of(model, theta, covariance, left, sizes, share)
    return drift_of(prior, [cut.trend for cut in later.cuts]) if prior.scale > 0.0 else None


def _helpful(model: Model, best: NextRun) -> str:
    """The run that would help a forecast most, beside the largest."""
    largest = int(np.argmax(model.inputs["params"] * model.inputs["tokens"]))
    size, tokens = (best.inputs[name] / float(model.inputs[name][largest]) for name in ("params", "tokens"))
    return (
        f"most would help a run of {size:.2g} times the params of the largest and {tokens:.2g} times its tokens: "
        f"what the constants leave open at ten times its compute falls from {best.before:.2g} to {best.after:.2g}"
    )


def _refused(model: Model, objective: Objective, starts: int, *why: Finding) -> Fitted:
    """No constants, and why."""
    k = len(model.coordinates)
    nothing = np.empty((0, k)), (), np.empty(0)
    return Fitted(model.coordinates, objective, (), starts, np.full((k, k), np.inf), *nothing, findings=why)


def _by_draws(draws: Floats, covariance: Floats) -> tuple[Known, ...]:
    """Intervals by the percentiles of a bootstrap, which do not depend on whether a constant or its log is drawn."""
    ends = {c: np.quantile(draws, [(1 - c) / 2, (1 + c) / 2], axis=0) for c in COVERAGES}
    return tuple(
        Known(float(error), {c: Interval(float(low[i]), float(high[i])) for c, (low, high) in ends.items()})
        for i, error in enumerate(np.sqrt(np.diagonal(covariance)))
    )


def _by_slopes(theta: Floats, covariance: Floats, here: Local, noise: Noise | None) -> tuple[Known, ...]:
    """Intervals by Student's t, whose degrees of freedom are the runs that the coordinates leave over."""
    half = {coverage: student(coverage, _freedom(here, noise)) for coverage in COVERAGES}
    return tuple(
        Known(float(error), {c: Interval(float(at - t * error), float(at + t * error)) for c, t in half.items()})
        for at, error in zip(theta, np.sqrt(np.diagonal(covariance)), strict=True)
    )


def _looked_at(
    model: Model,
    objective: Objective,
    best: Minimum,
    here: Local,
    known: tuple[Known, ...],
    reaches: Mapping[float, float],
) -> tuple[Known, ...]:
    """The same with the ends of intervals that the runs leave open: by the profiles of those that are doubtful."""
    floored = lifted(model, best.theta, here) != best.theta
    doubtful = [i for i, one in enumerate(known) if floored[i] or not one.error <= DOUBTFUL]
    if not doubtful:
        return known
    seen = list(known)
    for i, profile in zip(doubtful, profiles(model, objective, best.theta, doubtful), strict=True):
        within = {}
        for coverage, interval in known[i].within.items():
            low, high = profile.end(-reaches[coverage]), profile.end(reaches[coverage])
            within[coverage] = Interval(
                low if np.isinf(low) or floored[i] else interval.low,
                high if np.isinf(high) or floored[i] else interval.high,
            )
        told = bool(np.isfinite([within[0.8].low, within[0.8].high]).all())
        seen[i] = Known(known[i].error, within, told)
    return tuple(seen)


def _reaches(here: Local, noise: Noise | None) -> dict[float, float]:
    """Of each coverage, how many standard errors by the residuals alone an interval reaches out on either side."""
    freedom = _freedom(here, noise)
    own = math.sqrt(float(here.residuals @ here.residuals) / _freedom(here, None))
    larger = 1.0 if noise is None or not own > 0.0 else noise.size / own
    return {coverage: larger * student(coverage, freedom) for coverage in COVERAGES}


def _freedom(here: Local, noise: Noise | None) -> int:
    """Degrees of freedom by which the errors are known."""
    k, n = here.slopes.shape
    return max(int(n) - int(k), 1) if noise is None else noise.freedom
