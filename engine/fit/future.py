"""Runs and their sizes into how well the smaller ones tell the larger, and what a forecast has to allow for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.covariance import MOST, NORMAL_MAD, local, sandwich, usual
from runplan.engine.fit.fisher import beyond
from runplan.engine.fit.identify import untold
from runplan.engine.fit.model import Model
from runplan.engine.fit.newton import Problem, descend
from runplan.engine.fit.objective import loss_of, residual_slopes, residuals, total
from runplan.engine.fit.outcome import Objective, Since
from runplan.engine.fit.search import searched
from runplan.engine.fit.table import Floats
from runplan.engine.problem.parts import QUANTILE

NOWHERE = Span(Source("runs", ""), 0, 0)
# The fits are to the runs up to the largest size over each of these.
BACK = (2.0, 5.0, 15.0, 50.0)
# Points from which each search sets out.
STARTS = 16
# Runs are forecast badly where errors are larger than expected by this factor, and than what is rounding: params are
# whole numbers, and losses are written with six digits or so.
WORSE, NOTHING = 1.5, 1e-6
# An error this many standard deviations from how most of them grow is that of a lone run.
FAR = 3.0
# A chance below which a forecast's errors are beyond doubt no chance, and those below which they are none where fits to
# the larger runs miss the smaller ones, too.
SURELY, PERHAPS, SELDOM = 1e-5, 0.1, 0.05
# What forecasts gain by fewer runs is told from this factor on.
BETTER = 1.5


@dataclass(frozen=True, slots=True)
class Cut:
    """How the runs above a size came out that a fit to those below forecast, m of them.

    Attributes:
        errors: (m), forecast over measurement, as a logarithm.
        distances: (m), the size of the run over that of the largest that the fit saw, as a logarithm.
        covariance: (m, m), of the errors, that the fit itself expected: from its constants and from what it leaves.
        freedom: How many runs told the noise, beyond those that the constants use up.
    """

    errors: Floats
    distances: Floats
    covariance: Floats
    freedom: int

    @property
    def held(self) -> Floats:
        """(m), the errors, those held back that are far from how they grow with size, by what was expected and by most
        of them: a lone run that is off says nothing of a form.
        """
        line = float(np.median(self.errors / self.distances)) * self.distances
        off = self.errors - line
        far = FAR * np.maximum(np.sqrt(np.diagonal(self.covariance)), np.median(np.abs(off)) / NORMAL_MAD)
        return np.asarray(line + np.clip(off, -far, far))

    @property
    def error(self) -> float:
        """The root mean square of the errors."""
        return float(np.sqrt(np.mean(self.held**2)))

    @property
    def expected(self) -> float:
        """What it was expected to be."""
        return float(np.sqrt(np.mean(np.diagonal(self.covariance))))

    @property
    def chance(self) -> float:
        """Of errors as large where the form is right.

        Forecasts of one fit err together, so their squares have fewer degrees of freedom than there are runs: F. E.
        Satterthwaite, An Approximate Distribution of Estimates of Variance Components, Biometrics Bulletin 2 (1946).
        The noise is itself known from few runs, hence Fisher's F.
        """
        together = float(np.trace(self.covariance) ** 2 / np.sum(self.covariance**2))
        return beyond((self.error / self.expected) ** 2, together, self.freedom) if self.expected > 0 else 0.0

    @property
    def trend(self) -> tuple[float, float]:
        """By how much the errors grow for each e-fold, and the variance that was expected of that."""
        weights = self.distances / (self.distances @ self.distances)
        return float(weights @ self.held), float(weights @ self.covariance @ weights)

    @property
    def scatter(self) -> float:
        """The variance of the errors about their trend, beyond what was expected: by those within which most are."""
        about = np.abs(self.errors - self.trend[0] * self.distances)
        return float((np.quantile(about, MOST) / QUANTILE) ** 2 - np.mean(np.diagonal(self.covariance)))


@dataclass(frozen=True, slots=True)
class Future:
    """How larger runs came out that fits to smaller ones forecast.

    Attributes:
        back: How smaller runs came out that fits to the larger ones forecast; none where the larger came out well.
    """

    cuts: Sequence[Cut]
    back: Sequence[Cut] = ()

    @property
    def errors(self) -> Floats:
        """Of all cuts, forecast over measurement, as a logarithm."""
        return np.concatenate([cut.errors for cut in self.cuts]) if self.cuts else np.empty(0)

    @property
    def error(self) -> float | None:
        """The root mean square of the errors; None where no larger run could be forecast."""
        return float(np.sqrt(np.mean(self.errors**2))) if self.cuts else None

    @property
    def missed(self) -> Cut | None:
        """The forecast that is the least likely of a right form; None where none has to be doubted.

        A forecast from few small runs errs now and then by more than it knows: neither constants nor noise are known
        well. So it has to be beyond doubt, or as unlikely the other way round, which a right form seldom is.
        """
        worst = _worst(self.cuts)
        if worst is None:
            return None
        chance = len(self.cuts) * worst.chance
        return worst if chance < SURELY or (chance < PERHAPS and _chance(self.back) < SELDOM) else None

    @property
    def scatter(self) -> float:
        """How far larger runs were from what they gain for their size, beyond what was expected: a standard deviation.

        Sizes and tokens further apart than those that the form has seen.
        """
        return float(np.sqrt(np.maximum(np.mean([cut.scatter for cut in self.cuts]), 0.0))) if self.cuts else 0.0


def _worst(cuts: Sequence[Cut]) -> Cut | None:
    """The cut whose errors are the least likely of a right form; None where all came out as expected, or nearly."""
    worse = [cut for cut in cuts if cut.error > max(WORSE * cut.expected, NOTHING)]
    return min(worse, key=lambda cut: cut.chance, default=None)


def _chance(cuts: Sequence[Cut]) -> float:
    """Of one of so many cuts as unlikely as the worst, of a right form: Bonferroni's."""
    return min([1.0, *(len(cuts) * cut.chance for cut in cuts)])


def future(model: Model, objective: Objective, theta: Floats, sizes: Floats) -> Future:
    """Fits to the runs below each of a few sizes, and what they make of those above; where that is badly, the other way
    round as well.

    Args:
        theta: (k), of the fit to all of them: one more place to search from.
        sizes: (n), of runs: compute, or what else is larger for the runs that are forecast.
    """
    log = np.log(sizes)

    def beyond(log: Floats) -> list[Cut]:
        found = (_beyond(model, objective, theta, log, cut) for cut in _cuts(model, objective, log))
        return [cut for cut in found if cut is not None]

    cuts = beyond(log)
    worst = _worst(cuts)
    back = beyond(-log) if worst is not None and len(cuts) * worst.chance < PERHAPS else []
    return Future(cuts, back)


def _cuts(model: Model, objective: Objective, log: Floats) -> list[float]:
    """The largest size below each cut that leaves enough runs for a fit, and for how sure it is.

    A loss with a corner goes through as many runs as there are constants: two more tell nothing of the noise.
    """
    # What there is up to each cut, once.
    counts = {int((log <= cut).sum()): cut for cut in log.max() - np.log(BACK)}
    least = len(model.coordinates) + (2 if objective.kind == "squares" else 3)
    return [float(log[log <= cut].max()) for count, cut in counts.items() if count >= least]


def since(model: Model, objective: Objective, theta: Floats, sizes: Floats) -> Since | None:
    """Whether the smallest runs are none that the form holds of: without them, the larger ones are forecast better.

    Of several sizes that of which the forecasts gain most; None where they gain less than `BETTER`.
    """
    log, best = np.log(sizes), None
    cuts = _cuts(model, objective, log)
    whole = {cut: _beyond(model, objective, theta, log, cut, thorough=False) for cut in cuts}
    for start in sorted({float(log[log > low].min()) for low in log.min() + np.log(BACK) if low < log.max()}):
        kept = log >= start
        some, own = model.rows(kept), log[kept]
        pairs = [
            (one.errors, other.errors)
            for cut in set(cuts) & set(_cuts(some, objective, own))
            if (one := _beyond(some, objective, theta, own, cut, thorough=False)) is not None
            and (other := whole[cut]) is not None
        ]
        if not pairs:
            continue
        error, before = (float(np.sqrt(np.mean(np.concatenate(each) ** 2))) for each in zip(*pairs, strict=True))
        if max(BETTER * error, NOTHING) < before and (best is None or error / before < best.error / best.whole):
            between = float(np.exp((start + log[~kept].max()) / 2))
            best = Since(between, int((~kept).sum()), error, before)
    return best


def _beyond(
    model: Model, objective: Objective, whole: Floats, log: Floats, cut: float, *, thorough: bool = True
) -> Cut | None:
    """The runs beyond a cut; None where those below it tell no constants: one budget alone tells no surface."""
    below, above = model.rows(log <= cut), model.rows(log > cut)
    if untold(below, NOWHERE, {}):
        return None
    near = descend(Problem(below, loss_of(objective), objective.log), whole[None])
    found = [near.theta[0]] if near.converged[0] else []
    if thorough or not found:
        found += [minimum.theta for minimum in searched(below, objective, STARTS).minima[:1]]
    if not found:
        return None
    values = total(objective, residuals(below, objective.log, np.array(found)))
    theta = found[int(np.argmin(values))]
    here = local(below, objective, theta)
    _, slopes = residual_slopes(above, True, theta[None])
    noise = usual(local(below, Objective(log=True), theta).residuals, len(theta))
    errors = residuals(above, True, theta[None])[0]
    covariance = slopes[0].T @ sandwich(objective, here) @ slopes[0] + noise**2 * np.eye(len(errors))
    told = np.isfinite(errors).all() and np.isfinite(covariance).all()
    return Cut(errors, log[log > cut] - cut, covariance, max(len(below.measured) - len(theta), 1)) if told else None
