"""Forms that were held to the same runs into an order: by how well they forecast, and not by how well they fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding
from runplan.engine.fit.fitting import LawFit, Part
from runplan.engine.fit.forecast import Forecast
from runplan.engine.problem.parts import QUANTILE

# Forms that are compared where none is said, in the order in which they are preferred: first those that give a loss by
# budgets of several sizes, which forecast no worse than surfaces did on each of four public ladders, or by size and
# tokens; where the runs tell none of these, by compute alone.
USUAL = (("isoflop", "chinchilla", "skaling"), ("envelope", "henighan"))
# Forms forecast about as well where their errors differ by less than this factor.
AS_WELL = 1.5
# How far ahead they are asked, over the largest budget.
AHEAD = 10.0


@dataclass(frozen=True)
class Compared:
    """A form, and how it came out.

    Attributes:
        named: As it was asked for.
        found: None where the runs do not tell it.
        forecasts: At the largest budget of the runs, or where it was asked.
        far: At ten times the largest budget.
    """

    named: str
    found: LawFit | None
    forecasts: Mapping[str, Forecast]
    far: Mapping[str, Forecast]
    findings: tuple[Finding, ...]

    @property
    def part(self) -> Part | None:
        """The formula of it that is compared: that of the loss, if it has one; None where the runs tell none."""
        return self.found.main if self.found is not None else None

    @property
    def future_error(self) -> float:
        """By how much it was off of the largest runs when it had seen the smaller alone; infinite where unknown."""
        error = self.part.fitted.future_error if self.part is not None else None
        return error if error is not None and math.isfinite(error) else math.inf

    @property
    def expected(self) -> float:
        """By how much its forecast at ten times the largest budget is expected to be off: a standard deviation, of
        logarithms, by how larger runs came out; where none was held to it, by how forms of its kind drift elsewhere.
        Infinite where it forecasts none.
        """
        told = self.far.get("loss")
        known = told is not None and 0.0 < told.low < math.inf
        return math.log(told.high / told.low) / (2 * QUANTILE) if told is not None and known else math.inf

    @property
    def why_not(self) -> str:
        """Why the runs do not tell it; empty where they do."""
        wrong = (found.message for found in self.findings if found.severity == "error")
        return "" if self.found is not None else next(wrong, "the runs do not tell it")


def compared(columns: Sequence[Compared]) -> tuple[Compared, ...]:
    """The best forecaster first; those of which that is not known after them, then those that were not fitted."""
    return tuple(sorted(columns, key=lambda column: (column.found is None, column.future_error)))


def forecaster(columns: Sequence[Compared]) -> Compared | None:
    """The first form, in the order in which they are preferred, that forecast larger runs about as well as the best: a
    few cuts tell no small difference. None where the runs tell none.
    """
    told = [column for column in columns if column.found is not None]
    least = min((column.future_error for column in told), default=math.inf)
    return next((column for column in told if column.future_error <= AS_WELL * least), None)


def chosen(columns: Sequence[Compared]) -> Compared | None:
    """The form to plan by, of those in the order in which they are preferred; None where the runs tell none.

    The one that forecasts best, or one before it that was held to no larger run, as a form that takes whole budgets is
    where there are few, if it is no less certain far ahead: over nine cuts of three public ladders those were off by
    0.5 to 0.9 %, and what forecast best by 2 to 3 %.
    """
    best = forecaster(columns)
    if best is None:
        return None
    told = (column for column in columns if column.found is not None)
    return next(column for column in told if column is best or _is_as_certain(column, best))


def _is_as_certain(column: Compared, best: Compared) -> bool:
    """Whether a form that was held to no larger run tells one far ahead as closely as the best of those that were."""
    return math.isinf(column.future_error) and column.expected <= best.expected < math.inf
