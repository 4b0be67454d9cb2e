"""Residuals into whether they are noise, or what the form does not say."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.fisher import beyond
from runplan.engine.fit.table import Floats

# Figures that agree to this share are one: runs that repeat another.
SAME = 1e-6
# A chance below which two variances are two.
SELDOM = 0.05


@dataclass(frozen=True, slots=True)
class Repeats:
    """What runs of the same inputs tell.

    Attributes:
        noise: Standard deviation of one measurement, as residuals take it.
        ratio: The variance that the form leaves beside it, over that of the noise: Fisher's F.
        chance: Of a ratio as large, where the form is right.
    """

    noise: float
    ratio: float
    chance: float


def repeats(inputs: Mapping[str, Floats], residuals: Floats, constants: int) -> Repeats | None:
    """Pure error against lack of fit: N. Draper and H. Smith, Applied Regression Analysis (1998), section 2.1.

    None where no run repeats another, or too few are left over.
    """
    if not inputs:
        return None
    keys = np.round(np.log(np.maximum(np.array([*inputs.values()]), 1e-300)) / SAME).T
    groups = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    count = np.bincount(groups)
    pure = int((count - 1).sum())
    lack = len(count) - constants
    if pure < 1:
        return None
    means = np.bincount(groups, residuals) / count
    within = float(((residuals - means[groups]) ** 2).sum())
    noise = math.sqrt(within / pure)
    if lack < 1 or within <= 0:
        return None
    ratio = float((count * means**2).sum()) / lack / (within / pure)
    return Repeats(noise, ratio, beyond(ratio, lack, pure))


@dataclass(frozen=True, slots=True)
class Noise:
    """How uncertain what was measured is.

    Attributes:
        size: Standard deviation, as residuals take it.
        freedom: Degrees of freedom by which that is known.
    """

    size: float
    freedom: int


def pooled(noise: Noise, residuals: Floats, constants: int) -> Noise | None:
    """A noise that is known beforehand with what a form of so many constants leaves; None where these are two things.

    By Fisher's F, either way: T. A. Bancroft, On Biases in Estimation due to the Use of Preliminary Tests of
    Significance, Annals of Mathematical Statistics 15 (1944), section 2.
    """
    freedom = len(residuals) - constants
    if freedom < 1 or noise.freedom < 1 or not noise.size > 0.0:
        return None
    left = float(residuals @ residuals)
    if not SELDOM < beyond(left / freedom / noise.size**2, freedom, noise.freedom) < 1 - SELDOM:
        return None
    both = freedom + noise.freedom
    return Noise(math.sqrt((left + noise.freedom * noise.size**2) / both), both)


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure of runs along which residuals bend.

    Attributes:
        name: Of the figure.
        chance: Of a bend as large, or of signs as seldom in turn, where residuals are noise.
    """

    name: str
    chance: float


def trend(figures: Mapping[str, Floats], residuals: Floats) -> Trend | None:
    """The figure along which residuals look least like noise; None where there is none.

    Two tests for each, of ranks and signs, so that no outlier decides: whether signs take turns as often as they would
    by chance (A. Wald and J. Wolfowitz, Annals of Mathematical Statistics 11, 1940), and whether both ends lie on one
    side of the middle. The chance is for the least of all tests: Bonferroni's.
    """
    found: list[tuple[float, str]] = []
    for name, values in figures.items():
        if np.ptp(values) > 0:
            order = np.argsort(values, kind="stable")
            found.append((min(_runs_test(residuals[order]), _bend_test(values, residuals)), name))
    if not found:
        return None
    chance, name = min(found)
    return Trend(name, min(1.0, 2 * len(found) * chance))


def _runs_test(ordered: Floats) -> float:
    """The chance of so few changes of sign."""
    signs = ordered[np.abs(ordered) > 1e-12] > 0
    up, down = int(signs.sum()), int((~signs).sum())
    n = up + down
    if min(up, down) < 2:
        return 1.0
    runs = 1 + int((signs[1:] != signs[:-1]).sum())
    mean = 1 + 2 * up * down / n
    variance = (mean - 1) * (mean - 2) / (n - 1)
    return 0.5 * math.erfc((mean - runs - 0.5) / math.sqrt(2 * max(variance, 1e-12)))


def _bend_test(values: Floats, residuals: Floats) -> float:
    """The chance of a rank correlation as large between residuals and the distance from the middle."""
    places = ranks(values)
    bend = ranks(np.abs(places - np.mean(places)))
    if np.ptp(bend) == 0:
        return 1.0
    correlation = float(np.corrcoef(bend, ranks(residuals))[0, 1])
    n = len(residuals)
    return math.erfc(abs(correlation) * math.sqrt((n - 1) / 2))


def ranks(values: Floats) -> Floats:
    """Places in order; those of equal values are the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Floats = (ends - (counts - 1) / 2)[inverse.ravel()]
    return found
