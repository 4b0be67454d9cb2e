"""A fit and the noise of its runs into what they leave open: other minima within the noise, constants without a value.

A rank that is full at the best minimum says little where the noise lets a constant go to where it is not: an exponent
that may as well be 0 makes a level of its term, and then neither the factor nor the floor is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted, listing
from runplan.engine.fit.covariance import Local
from runplan.engine.fit.model import Coordinate, Model
from runplan.engine.fit.newton import Problem, descend
from runplan.engine.fit.objective import loss_of, residuals, total
from runplan.engine.fit.outcome import Interval, Known, Minimum, Objective
from runplan.engine.fit.profiles import variance
from runplan.engine.fit.projection import projected
from runplan.engine.fit.rank import nulls
from runplan.engine.fit.search import STARTS, spread
from runplan.engine.fit.table import Floats

# The interval by which a constant is told or not, and that by which it is told that there is one at all.
USUAL, SURELY = 0.8, 0.95
# What an input is multiplied by, to see whether a form depends on it, and what is no change of a prediction.
APART, NOTHING = 4.0, 1e-9
# A change of predictions that a search of runs without noise stops at.
HARDLY = 1e-6
# Minima whose differing constants are named.
NAMED = 3
# Of the points of a search with a constant at 0, from how many of the best one descends.
TRIED = 8


@dataclass(frozen=True, slots=True)
class Near:
    """A minimum that the noise of the runs does not tell from the best.

    Attributes:
        root: How unlikely it is beside the best: what would be Student's t if the form were linear.
    """

    minimum: Minimum
    root: float


def near(objective: Objective, minima: Sequence[Minimum], here: Local, reach: float) -> tuple[Near, ...]:
    """The minima whose objective is above the best by no more than noise explains, but for the best.

    Args:
        reach: How many standard errors an interval reaches out.
    """
    best, *others = minima
    found = (Near(one, _root(objective, here, one.value - best.value)) for one in others)
    return tuple(one for one in found if one.root <= reach)


def _root(objective: Objective, here: Local, more: float) -> float:
    """How unlikely constants are by which the objective is so much larger than at the best minimum."""
    return math.sqrt(2 * max(more, 0.0) / max(variance(objective, here), 1e-300))


def widened(known: Sequence[Known], others: Sequence[Near], reaches: Mapping[float, float]) -> tuple[Known, ...]:
    """The intervals, out to the other minima that are as likely as what lies in them."""
    out = []
    for i, one in enumerate(known):
        ends = {
            coverage: [float(other.minimum.theta[i]) for other in others if other.root <= reaches[coverage]]
            for coverage in one.within
        }
        within = {c: Interval(min([own.low, *ends[c]]), max([own.high, *ends[c]])) for c, own in one.within.items()}
        out.append(replace(one, within=within))
    return tuple(out)


def of_minima(
    coordinates: Sequence[Coordinate], best: Minimum, known: Sequence[Known], others: Sequence[Near], at: Span
) -> Iterator[Finding]:
    """That constants far from the best fit about as well, and which these are.

    Args:
        known: By the best minimum alone.
    """
    far: list[tuple[Near, list[int]]] = []
    for other in others:
        theta = other.minimum.theta
        out = [i for i, one in enumerate(known) if not one.within[0.95].low <= theta[i] <= one.within[0.95].high]
        if out:
            far.append((other, out))
    if not far:
        return
    first, out = far[0]
    differing = listing(
        f"{coordinates[i].constant} = {_own(coordinates[i], first.minimum.theta[i]):.3g}" for i in out[:NAMED]
    )
    more = (first.minimum.value / best.value - 1) * 100 if best.value > 0 else 0.0
    yield finding(
        "F027",
        f"{counted(len(far), 'other set')} of constants that the noise of the runs does not tell from the best: "
        f"the next, {more:.2g} % above it, has {differing}",
        at,
        help=["more runs, further apart, decide; until then intervals reach over all of them"],
        data={"value": best.value, "next": first.minimum.value},
    )


def left_open(
    model: Model,
    objective: Objective,
    minima: Sequence[Minimum],
    here: Local,
    known: Sequence[Known],
    others: Sequence[Near],
    reaches: Mapping[float, float],
    at: Span,
) -> Iterator[Finding]:
    """Why a fit is none: constants that the noise leaves without a value. A term alone may be as little as nothing.

    Args:
        minima: The best first.
        here: Around that.
        known: With the other minima in the intervals.
        reaches: Of each coverage, how many standard errors an interval reaches out.
    """
    coordinates, theta = model.coordinates, minima[0].theta

    def as_good_without(i: int, coverage: float) -> bool:
        return _as_good_without(model, objective, minima, here, i, reaches[coverage])

    open_ = [i for i, one in enumerate(known) if not one.identified]
    if all(_may_vanish(coordinates[i], known[i]) for i in open_):
        open_ = []
    flat = [i for i, one in enumerate(known) if not coordinates[i].log and _over_zero(one) and i not in open_]
    for i in flat:
        if nulls(model, objective, _without(theta, i)) and (open_ or as_good_without(i, USUAL)):
            open_.append(i)
    open_ += [
        null.held for other in others for null in nulls(model, objective, other.minimum.theta) if null.held not in open_
    ]
    if not open_:
        return
    open_.sort()
    names = [coordinates[i].constant for i in open_]
    ways = "; ".join(f"`{coordinates[i].constant}` {between(coordinates[i], known[i])}" for i in open_)
    nothing = [i for i in open_ if not coordinates[i].log and as_good_without(i, SURELY)]
    idle = [name for name in model.inputs if any(_idle(model, theta, i, name) for i in nothing)]
    depends = f", nor whether what they gave depends on {listing(idle)} at all" if idle else ""
    help = [f"runs over a wider range of {listing(idle or [*model.inputs])}, one at a time, tell it"]
    holds = [
        f"--hold {coordinates[i].constant}={_own(coordinates[i], elsewhere):.4g}"
        for i in open_
        if not coordinates[i].log and (elsewhere := coordinates[i].elsewhere) is not None
    ]
    if holds:
        help.append(f"`{' '.join(holds)}` takes it from the law that the form is of")
    yield finding(
        "F024",
        f"the runs do not tell {listing(names)}{depends}: {ways}",
        at,
        severity="error",
        help=help,
        data={"constants": ", ".join(names)},
    )


def adds_nothing(here: Local) -> bool:
    """Whether a constant moves no prediction at a minimum, such as the factor of a term that is none."""
    moves = np.abs(here.slopes).max(axis=1)
    return bool((moves < HARDLY * moves.max()).any())


def of_nothing(model: Model, theta: Floats, at: Span) -> Iterator[Finding]:
    """That nothing of a best fit some constants of which have no value depends on some figures of the runs."""
    middle = np.array([(c.low + c.high) / 2 for c in model.coordinates])
    idle = [
        name
        for name, values in model.inputs.items()
        if np.ptp(values) > 0 and _same(model, theta, name, HARDLY) and not _same(model, middle, name, HARDLY)
    ]
    if idle:
        yield finding(
            "F024",
            f"in the best fit nothing depends on {listing(idle)}: no constant of such a term is told",
            at,
            severity="error",
            help=[f"look at the column, or take a form without {listing(idle)}"],
            data={"inputs": ", ".join(idle)},
        )


def between(coordinate: Coordinate, known: Known) -> str:
    """Where a constant lies, as it goes on behind its name."""
    within = known.within[USUAL]
    low, high = (_own(coordinate, end) for end in (within.low, within.high))
    if math.isinf(within.high) and math.isinf(within.low):
        return "may be anything"
    if math.isinf(within.high):
        return f"is above {low:.3g}, however large"
    if math.isinf(within.low):
        return f"is below {high:.3g}" + (", and may be 0" if coordinate.log else ", however small")
    return f"is between {low:.3g} and {high:.3g}"


def _own(coordinate: Coordinate, at: float) -> float:
    return math.exp(min(at, 700.0)) if coordinate.log else float(at)


def _may_vanish(coordinate: Coordinate, known: Known) -> bool:
    """Whether all that is open of a constant is how little it is."""
    within = known.within[USUAL]
    return coordinate.log and math.isinf(within.low) and math.isfinite(within.high)


def _over_zero(known: Known) -> bool:
    return known.within[USUAL].low <= 0.0 <= known.within[USUAL].high


def _without(theta: Floats, i: int) -> Floats:
    found = theta.copy()
    found[i] = 0.0
    return found


def _as_good_without(
    model: Model, objective: Objective, minima: Sequence[Minimum], here: Local, i: int, reach: float
) -> bool:
    """Whether the runs are fitted about as well where a constant is 0 and all others are what is best then.

    An interval by slopes reaches over 0 where a form bends, too: with a constant at 0 it may be far off.
    """
    loss = loss_of(objective)
    starts = np.concatenate([spread(model, STARTS), [one.theta for one in minima]])
    starts[:, i] = 0.0
    points, values = projected(model, loss, objective.log, starts)
    points = points[np.argsort(values, kind="stable")[:TRIED]]
    held = np.broadcast_to(np.arange(points.shape[1]) == i, points.shape)
    ended = descend(Problem(model, loss, objective.log, held=held), points)
    least = float(total(objective, residuals(model, objective.log, ended.theta)).min())
    return _root(objective, here, least - minima[0].value) <= reach


def _idle(model: Model, theta: Floats, i: int, name: str) -> bool:
    """Whether a form whose constant is 0 gives the same whatever an input is."""
    return _same(model, _without(theta, i), name, NOTHING)


def _same(model: Model, theta: Floats, name: str, within: float) -> bool:
    """Whether a form gives the same where an input is some times what it is."""
    moved = model.at({**model.inputs, name: model.inputs[name] * APART})
    here, there = (one.predicted(theta[None]) for one in (model, moved))
    return bool(np.allclose(here, there, rtol=within, atol=0.0))
