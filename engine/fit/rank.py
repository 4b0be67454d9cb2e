"""A minimum into what moves its coordinates and no prediction: combinations of constants that the runs do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import enumerated, listing
from runplan.engine.fit.covariance import lifted, local
from runplan.engine.fit.model import Coordinate, Model
from runplan.engine.fit.objective import residual_slopes
from runplan.engine.fit.outcome import Objective
from runplan.engine.fit.table import Floats

# A direction is told from nothing where its slope is more than this share of the largest, of coordinates of one scale.
TOLD = 1e-7
# Figures that follow from others but for this share of their spread do so but for rounding: shares sum to 1.
ROUNDING = 1e-3
# What is smaller in a combination is rounding.
NOTHING = 1e-5


@dataclass(frozen=True, slots=True)
class Null:
    """A direction in which the constants may move without a run being predicted otherwise.

    Attributes:
        held: The place of the coordinate that fixes it, if it is held.
        by: Of each coordinate that moves, by its place, how far: 1 for that which may be held.
    """

    held: int
    by: Mapping[int, float]


def nulls(model: Model, objective: Objective, theta: Floats) -> tuple[Null, ...]:
    """The directions that the slopes of the runs do not tell at a point, (k); none where their rank is full."""
    at = lifted(model, theta, local(model, objective, theta))
    if not np.isfinite(model.predicted(at[None])).all():  # what is no factor cannot be lifted like one
        at = theta
    for own in (model, model.at(_rounded(model.inputs))):
        slopes = residual_slopes(own, objective.log, at[None])[1][0]
        if not np.isfinite(slopes).all():
            continue
        size = np.linalg.norm(slopes, axis=1)
        size = np.where(size > 0, size, 1.0)
        # All directions of the coordinates, and of as many runs no more than these.
        fewer = slopes.shape[1] < len(at)
        left, values, _ = np.linalg.svd(slopes / size[:, None], full_matrices=fewer)
        values = np.concatenate([values, np.zeros(len(at) - len(values))])
        if (found := left[:, values <= TOLD * max(float(values[0]), 1e-300)].T / size).size:
            return tuple(_apart(found))
    return ()


def of_rank(coordinates: Sequence[Coordinate], theta: Floats, found: Sequence[Null], at: Span) -> Iterator[Finding]:
    """What is said of constants that have no value of their own: the combination, and what fixes it."""
    names = [c.constant for c in coordinates]
    values = np.where([c.log for c in coordinates], np.exp(np.minimum(theta, 700.0)), theta)
    holds = " ".join(f"--hold {names[one.held]}={float(values[one.held]):.4g}" for one in found)
    help = [f"`{holds}` leaves nothing open, and predicts the runs as well as any other value"]
    alone = [names[one.held] for one in found if len(one.by) == 1]
    if alone:
        yield finding(
            "F024",
            f"the runs do not tell {listing(alone)}: every run is predicted the same, whatever that is",
            at,
            severity="error",
            help=help,
            data={"constants": ", ".join(alone)},
        )
    together = [one for one in found if len(one.by) > 1]
    if together:
        moving = [names[i] for i in sorted({i for one in together for i in one.by})]
        ways = "; or ".join(
            enumerated([f"`{_named(coordinates[i])}` {by:+.3g}" for i, by in one.by.items()]) for one in together
        )
        yield finding(
            "F025",
            f"the runs tell only combinations of {listing(moving)}: every run is predicted the same with {ways}",
            at,
            severity="error",
            help=help,
            data={"constants": ", ".join(moving)},
        )


def _named(coordinate: Coordinate) -> str:
    return f"ln({coordinate.constant})" if coordinate.log else coordinate.constant


def _rounded(inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Figures of runs, (n) each, with what follows from others but for rounding made to follow to the last bit."""
    moving = {name: values for name, values in inputs.items() if np.ptp(values) > 0}
    if len(moving) < 2:
        return inputs
    every = np.array([*moving.values()])
    middle, wide = every.mean(axis=1, keepdims=True), every.std(axis=1, keepdims=True)
    left, values, right = np.linalg.svd((every - middle) / wide, full_matrices=False)
    values = np.where(values > ROUNDING * values[0], values, 0.0)
    return {**inputs, **dict(zip(moving, middle + wide * (left * values @ right), strict=True))}


def _apart(basis: Floats) -> Iterator[Null]:
    """(m, k) directions into as many with the fewest coordinates in each: by elimination, the largest first."""
    rows = basis.copy()
    pivots: list[int] = []
    for i in range(len(rows)):
        open_ = np.abs(rows[i]).copy()
        open_[pivots] = 0.0
        # Of those alike the first: a level sooner than a slope, and the same each time.
        pivot = int(np.argmax(open_ > 0.9 * open_.max()))
        rows[i] /= rows[i, pivot]
        others = np.arange(len(rows)) != i
        rows[others] -= rows[others, pivot][:, None] * rows[i]
        pivots.append(pivot)
    for pivot, row in zip(pivots, rows, strict=True):
        least = NOTHING * float(np.abs(row).max())
        yield Null(pivot, {int(i): float(row[i]) for i in np.flatnonzero(np.abs(row) > least)})
