"""The losses of a log into the loss at the end of its schedule, and how far that may be off.

The form is that of the multi-power law (Luo et al. 2025): a power law in the sum of learning rates, over a floor, less
what steps down of the rate bring. Its constants are fitted to the log itself; what a decay brings that is still to come
is taken from `annealing_gain` of the library.
"""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.engine.fit.table import Floats
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.track.schedule import Path

# The floor is looked for among these shares of the loss of now; a low one is likelier, by how fast the likelihood of a
# higher one falls: logs cannot tell it, and fits to their first parts take it for too high.
FLOORS = np.arange(0.0, 0.85, 0.05)
FLOOR_FALLS = 3.0
# The power, and how far it may be from that before a log is seen.
POWER, POWER_SPREAD = 0.3, 0.3
# Of the log, what is fitted: from this share of what has been summed, and after the warm-up.
FROM = 0.35
# How far off the shape of what a decay brings may be, as a share of what is to come of it; and the form as such, where
# nothing is to come: the standard deviation of the logarithm of the loss. By the two logs of `annealing_gain`.
SHAPE, FORM = 0.2, 0.012
# Points that there must be at least; how far off a residual counts in full (Huber 1964), in its spread.
LEAST, FULL = 12, 1.5
ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Gain:
    """What a decay of the rate to nothing takes off, as a share of the loss, before the log tells.

    Attributes:
        value, spread: Its middle and its standard deviation.
        further: How far off a fitted curve is further on: the standard deviation, as a share of the fall of the
            logarithm of the loss that it foretells, decays left out.
    """

    value: float
    spread: float
    further: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve through the losses of a log.

    Attributes:
        final, low, high: The loss at the end, smoothed, with its 80 % interval.
        now: The loss of now, smoothed.
        noise: The standard deviation of the logarithm of one loss about the curve.
        middle: The curve at the points of the path.
        gain: What a full decay takes off, as the log and what was known before tell together.
        told: Whether the log has come so far that it tells that itself.
    """

    final: float
    low: float
    high: float
    now: float
    noise: float
    middle: Floats
    gain: float
    told: bool


def curve_of(tokens: Floats, loss: Floats, path: Path, gain: Gain) -> Curve | None:
    """The curve of a log; None where it has too few points behind the warm-up."""
    summed, annealed = path.at(tokens)
    whole = float(path.summed[-1])
    own = summed - path.summed[0]
    used = (tokens >= path.warm) & (own >= FROM * own[-1]) & np.isfinite(loss) & (loss > 0)
    if used.sum() < LEAST:
        return None
    x, a, y = np.log(summed[used] / whole), annealed[used], np.log(loss[used])
    now = float(np.exp(np.median(y[-max(LEAST, len(y) // 10) :])))
    fits = [_fitted(x, a, y, float(share) * now, gain) for share in FLOORS]
    noise = min(fit.scale for fit in fits)
    weight = np.array(
        [-0.5 * fit.lack / noise**2 - FLOOR_FALLS * share for fit, share in zip(fits, FLOORS, strict=True)]
    )
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    ends = np.array([fit.at(0.0, float(path.annealed[-1])) for fit in fits])
    middle = float(weight @ ends[:, 0])
    variance = float(weight @ (ends[:, 1] + (ends[:, 0] - middle) ** 2))
    none = np.zeros(1)
    falls = [float((fit.mean(x[-1:], none) - fit.mean(none, none))[0]) for fit in fits]
    further = float(weight @ np.array(falls))
    to_come = float(path.annealed[-1] - annealed[-1])
    spread = float(np.sqrt(variance + (gain.further * further) ** 2 + (SHAPE * gain.value * to_come) ** 2 + FORM**2))
    best = fits[int(np.argmax(weight))]
    along = np.full(len(path.tokens), np.nan)
    known = path.summed > 0
    along[known] = np.exp(best.mean(np.log(path.summed[known] / whole), path.annealed[known]))
    return Curve(
        final=float(np.exp(middle)),
        low=float(np.exp(middle - QUANTILE * spread)),
        high=float(np.exp(middle + QUANTILE * spread)),
        now=float(np.exp(best.mean(x[-1:], a[-1:])[0])),
        noise=noise,
        middle=along,
        gain=float(weight @ np.array([fit.theta[2] for fit in fits])),
        told=bool(a.max() > 0.25 * path.annealed[-1] > 0),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """A fit at one floor.

    Attributes:
        theta: The logarithm of the factor, the power, the gain.
        covariance: Of these.
        scale: Standard deviation of the residuals.
        lack: Their squares, those far off held back.
    """

    floor: float
    theta: Floats
    covariance: Floats
    scale: float
    lack: float

    def mean(self, x: Floats, a: Floats) -> Floats:
        """The logarithm of the loss where the logarithm of what is summed is x, and a has been annealed."""
        return np.asarray(np.log(self.floor + np.exp(self.theta[0] - self.theta[1] * x)) - self.theta[2] * a)

    def at(self, x: float, a: float) -> tuple[float, float]:
        """The same, with its variance."""
        slope = _slopes(self.theta, self.floor, np.array([x]), np.array([a]))[0]
        return float(self.mean(np.array([x]), np.array([a]))[0]), float(slope @ self.covariance @ slope)


def _slopes(theta: Floats, floor: float, x: Floats, a: Floats) -> Floats:
    """(n, 3): the derivatives of the logarithm of the loss."""
    above = np.exp(theta[0] - theta[1] * x)
    share = above / (floor + above)
    return np.stack([share, -share * x, -a], axis=1)


def _fitted(x: Floats, a: Floats, y: Floats, floor: float, gain: Gain) -> _Fit:
    """The middle of what is likely at one floor: least squares with priors, far residuals held back."""
    before = np.array([0.0, POWER, gain.value])
    sure = np.diag([0.0, POWER_SPREAD**-2.0, gain.spread**-2.0])
    theta = np.array([np.log(max(np.exp(np.median(y)) - floor, 1e-9)) + POWER * np.median(x), POWER, gain.value])
    scale = 0.05
    normal = np.eye(3)
    residual = np.zeros_like(y)
    for _ in range(ROUNDS):
        residual = y - np.log(floor + np.exp(theta[0] - theta[1] * x)) + theta[2] * a
        scale = 1.4826 * float(np.median(np.abs(residual - np.median(residual)))) + 1e-6
        weight = np.minimum(1.0, FULL * scale / np.maximum(np.abs(residual), 1e-12)) / scale**2
        slope = _slopes(theta, floor, x, a)
        normal = (slope * weight[:, None]).T @ slope + sure
        step = np.linalg.solve(normal, (slope * weight[:, None]).T @ residual + sure @ (before - theta))
        theta = theta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    lack = float(np.sum(np.minimum(residual**2, (3 * scale) ** 2)))
    return _Fit(floor, theta, np.asarray(np.linalg.inv(normal), float), scale, lack)
