"""A fit into runs made from it, and whether a fit to those gives its constants back as often as it says."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass, replace
from runplan.engine.fit.fit import fit
from runplan.engine.fit.fitting import Part, natural, usual
from runplan.engine.fit.model import Coordinate

# Starts of each fit, beside the constants that the runs were made with.
STARTS = 24
COVERAGES = (0.8, 0.95)
# Standard deviations of a count beyond which it is not by chance.
SURPRISING = 3.0


@dataclass(frozen=True, slots=True)
class Returned:
    """A constant, and how it came back.

    Attributes:
        value: That the runs were made with.
        low, middle, high: Of what came back: a tenth lies below `low`, a tenth above `high`.
        within: By coverage: the share of the tests in which the interval held the value.
    """

    name: str
    value: float
    low: float
    middle: float
    high: float
    within: dict[float, float]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came back.

    Attributes:
        tests: How many, and how many of them came to constants.
    """

    tests: int
    fitted: int
    noise: float
    returned: tuple[Returned, ...]

    @property
    def holds(self) -> bool:
        """Whether each interval holds as often as it says, up to chance; one that holds more often is no fault."""
        return self.fitted == self.tests and all(
            share >= coverage - SURPRISING * np.sqrt(coverage * (1 - coverage) / self.tests)
            for one in self.returned
            for coverage, share in one.within.items()
        )


def self_test(part: Part, tests: int, seed: int = 0) -> SelfTest:
    """Make runs from a fit, with its noise, and fit them, many times; intervals are those by the slopes."""
    model, theta = part.model, part.fitted.minima[0].theta
    known = tuple(replace(c, elsewhere=float(at)) for c, at in zip(model.coordinates, theta, strict=True))
    predicted, noise = np.array(part.predicted), usual(part.fitted.residuals, len(theta))
    rng = np.random.default_rng(seed)
    found, held = [], {coverage: np.zeros(len(theta)) for coverage in COVERAGES}
    for _ in range(tests):
        off = noise * rng.standard_normal(len(predicted))
        measured = predicted * np.exp(off) if model.log else predicted + off
        made = replace(model, measured=measured, coordinates=known)
        with np.errstate(all="ignore"):
            again = fit(made, part.fitted.objective, starts=STARTS, bootstrap=0)
        if not again.minima:
            continue
        found.append(again.minima[0].theta)
        for coverage, held_by in held.items():
            ends = [one.within[coverage] for one in again.known]
            held_by += [low.low <= at <= low.high for low, at in zip(ends, theta, strict=True)]
    every = np.array(found) if found else theta[None, :]
    low, middle, high = np.quantile(every, [0.1, 0.5, 0.9], axis=0)
    count = max(len(found), 1)
    returned = tuple(
        Returned(
            c.constant,
            natural(c, float(theta[i])),
            *(_ordered(c, float(low[i]), float(middle[i]), float(high[i]))),
            {coverage: float(held_by[i] / count) for coverage, held_by in held.items()},
        )
        for i, c in enumerate(model.coordinates)
    )
    return SelfTest(tests, len(found), noise, returned)


def _ordered(coordinate: Coordinate, *at: float) -> tuple[float, float, float]:
    low, middle, high = (natural(coordinate, one) for one in at)
    return low, middle, high
