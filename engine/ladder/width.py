"""A design into how wide the forecast of the flagship will be that its runs lead to: by simulation, and to first order.

Runs are drawn from the plan's law with a stated noise, the form is fitted to each draw again by what `plan fit` fits
by, and the flagship is predicted from it. Each fit sets out from the law's own constants: what a global search would
find elsewhere is not in the width.
"""

from __future__ import annotations

import math

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.newton import Problem, descend
from runplan.engine.fit.objective import loss_of
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats
from runplan.engine.ladder.surface import Surface
from runplan.engine.problem.parts import QUANTILE

# A direction of the constants in which the runs tell less than this share of what they tell elsewhere is not told.
BLIND = 1e-12
# Fits to runs drawn anew, and the seed of what is drawn.
DRAWS, SEED = 400, 0
# The ends of an 80 % interval.
LOW, HIGH = 0.1, 0.9
_STEP = 1e-3
# Steps of a fit: a draw that takes more has a constant that its runs do not tell.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Told:
    """What runs will tell of one figure.

    Attributes:
        low, high: Ends of the 80 % interval of forecasts from simulated runs.
        error: Standard error of its logarithm, to first order in the noise; infinite where the runs do not tell it.
    """

    low: float
    high: float
    error: float

    @property
    def is_told(self) -> bool:
        """Whether the runs tell it at all."""
        return all(map(math.isfinite, (self.low, self.high, self.error)))

    @property
    def half(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2

    def half_to_first_order(self, middle: float) -> float:
        """The same to first order in the noise."""
        return middle * math.sinh(QUANTILE * self.error)


@dataclass(frozen=True, slots=True)
class Width:
    """How well runs will tell the flagship.

    Attributes:
        loss: In nats a token.
        size: That which is best at the flagship's compute, as the law counts it.
    """

    loss: Told
    size: Told


UNTOLD = Width(*[Told(-math.inf, math.inf, math.inf)] * 2)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be told: the flagship's loss, and the size that is best at its compute.

    Attributes:
        size, tokens, compute: Of the flagship.
        by_loss, by_best: (k) derivatives of their logarithms by the law's coordinates.
    """

    surface: Surface
    size: float
    tokens: float
    compute: float
    by_loss: Floats
    by_best: Floats

    @staticmethod
    def of(surface: Surface, size: float, tokens: float, compute: float) -> Target:
        """That of a size on tokens, with a compute."""
        step = _STEP * np.eye(len(surface.centre))
        moved = surface.best(compute, np.concatenate([surface.centre + step, surface.centre - step]))
        up, down = np.split(np.log(moved), 2)
        slopes = surface.slopes(np.array([size]), np.array([tokens]))[0]
        return Target(surface, size, tokens, compute, slopes, (up - down) / (2 * _STEP))

    def width(self, params: Floats, tokens: Floats, noise: float, draws: int = DRAWS, seed: int = SEED) -> Width:
        """What (n) runs tell of it, each with a standard deviation of the logarithm of its loss."""
        errors = self._errors(params, tokens, noise * math.sqrt(spread_by(Objective(), noise)))
        if errors is None:
            return UNTOLD
        theta = simulated(self.surface, params, tokens, noise, draws, seed)
        losses = self.surface.loss(theta, np.array([self.size]), np.array([self.tokens]))[:, 0]
        ends = (_ends(figures) for figures in (losses, self.surface.best(self.compute, theta)))
        return Width(*(Told(*each, error) for each, error in zip(ends, errors, strict=True)))

    def _errors(self, params: Floats, tokens: Floats, noise: float) -> tuple[float, float] | None:
        """Standard errors to first order; None where a direction of the constants is not told."""
        slopes = self.surface.slopes(params, tokens)
        scale = np.linalg.norm(slopes, axis=0)
        if len(slopes) < len(scale) or not scale.all():
            return None
        _, found, rows = np.linalg.svd(slopes / scale, full_matrices=False)
        if found[-1] ** 2 <= BLIND * found[0] ** 2:
            return None
        loss, size = (float(noise * np.linalg.norm(rows @ (of / scale) / found)) for of in (self.by_loss, self.by_best))
        return loss, size


def simulated(surface: Surface, params: Floats, tokens: Floats, noise: float, draws: int, seed: int) -> Floats:
    """(draws, k), the coordinates that fits to (n) simulated runs come to: by the objective that `plan fit` has."""
    stream = np.random.Generator(np.random.PCG64(seed))
    shifts = noise * stream.standard_normal((draws, len(params)))
    problem = Problem(surface.model(params, tokens), loss_of(Objective()), True, shifts=shifts)
    return descend(problem, np.tile(surface.centre, (draws, 1)), _MOST).theta


def _ends(figures: Floats) -> tuple[float, float]:
    """The 80 % interval of figures, of which some may be none."""
    low, high = np.quantile(np.where(np.isnan(figures), np.inf, figures), (LOW, HIGH))
    return float(low), float(high)


def spread_by(objective: Objective, noise: float) -> float:
    """How many times the variance of least squares an objective's is, for normal errors and many runs.

    That of Huber's function with a bound of c standard deviations: P. J. Huber, Robust Estimation of a Location
    Parameter, Annals of Mathematical Statistics 35 (1964), section 5.
    """
    c = loss_of(objective).bound / noise
    inside = math.erf(c / math.sqrt(2)) if c < 40 else 1.0
    density = math.exp(-c * c / 2) * math.sqrt(2 / math.pi) if c < 40 else 0.0
    return (inside - c * density + c * c * (1 - inside)) / inside**2 if c < 40 else 1.0
