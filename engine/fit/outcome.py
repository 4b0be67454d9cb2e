"""What a fit came to."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import Literal
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.table import Floats

Kind = Literal["huber", "squares", "absolute"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a fit makes small: a sum over runs of a function of each residual.

    Attributes:
        delta: Of the Huber loss: where it turns from half the square into a line.
        log: Whether residuals are of logarithms.
    """

    kind: Kind = "huber"
    delta: float = 1e-3
    log: bool = True


@dataclass(frozen=True, slots=True)
class Minimum:
    """A local minimum that the search found.

    Attributes:
        theta: (k), in the coordinates of the model.
        value: Of the objective.
        starts: From how many starts it was reached.
    """

    theta: Floats
    value: float
    starts: int


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends, in the unit of what it is of; `low` and `high` may be infinite where the runs do not say."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Known:
    """How well the runs tell one coordinate.

    Attributes:
        error: Standard error, in the coordinate.
        within: By coverage, such as 0.8 and 0.95, in the coordinate.
        identified: Whether the runs tell it at all.
    """

    error: float
    within: Mapping[float, Interval]
    identified: bool = True


@dataclass(frozen=True, slots=True)
class NextRun:
    """A run that is yet to be made, and what it is good for.

    Attributes:
        inputs: Its figures, as the model counts them.
        before, after: The standard error of what is forecast, without it and with it, of logarithms where the fit is.
        cost: Of the run over that of the dearest of the fit.
    """

    inputs: Mapping[str, float]
    before: float
    after: float
    cost: float


@dataclass(frozen=True, slots=True)
class Since:
    """A size from which on runs tell the larger ones better than all of them do.

    Attributes:
        size: Between the runs that are left out and the others.
        left_out: How many runs.
        error, whole: By how much the larger runs are off, root mean square: without those, and with them.
    """

    size: float
    left_out: int
    error: float
    whole: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """Constants that runs tell, and how well.

    Attributes:
        minima: Distinct local minima, the best first; none where the runs cannot tell the constants at all: a finding
            that is an error says why, and there are no constants.
        starts: How many starts the search had in all.
        covariance: (k, k), of the coordinates: that by which a forecast to first order is as uncertain as the bootstrap
            says, or where there is none, from the slopes.
        draws: (b, k), a bootstrap; (0, k) where there is none.
        known: Of each coordinate.
        residuals: (n), as the objective takes them, at the best minimum.
        usual: Standard deviation of a run about the form, as residuals take it.
        noise: Standard deviation of a measurement that repeats tell; None where no two runs are alike.
        lack_of_fit: Ratio of what the form leaves to that noise, with its p-value; None where there is no noise known.
        future_error: Of the largest runs, predicted from the smaller ones: the root mean square of log residuals.
        drift: By how much such a prediction errs more than constants and noise explain, for each e-fold in size beyond
            the largest run: a standard deviation, of logarithms; None where nothing says which run is larger.
        scatter: By how much such predictions differ among each other more than constants and noise explain, likewise.
        since: From where on the runs tell the larger ones better than all of them do; None where all tell them as well.
        next_run: The run that would help most to forecast ten times the largest; None where none would by much, and of
            forms without params and tokens.
        findings: What is wrong or doubtful: codes F0xx.
    """

    coordinates: tuple[Coordinate, ...]
    objective: Objective
    minima: tuple[Minimum, ...]
    starts: int
    covariance: Floats
    draws: Floats
    known: tuple[Known, ...]
    residuals: Floats
    usual: float = 0.0
    noise: float | None = None
    lack_of_fit: tuple[float, float] | None = None
    future_error: float | None = None
    drift: float | None = None
    scatter: float = 0.0
    since: Since | None = None
    next_run: NextRun | None = None
    findings: tuple[Finding, ...] = field(default=())
