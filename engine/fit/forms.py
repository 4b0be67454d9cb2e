"""Forms that were held to the same runs into an order: by how well they forecast, and not by how well they fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding
from runplan.engine.fit.fitting import LawFit
from runplan.engine.fit.forecast import Forecast


@dataclass(frozen=True)
class Compared:
    """A form, and how it came out.

    Attributes:
        named: As it was asked for.
        found: None where the runs do not tell it.
        forecasts: At the largest budget of the runs, or where it was asked.
    """

    named: str
    found: LawFit | None
    forecasts: Mapping[str, Forecast]
    findings: tuple[Finding, ...]

    @property
    def future_error(self) -> float:
        """By how much it was off of the largest runs when it had seen the smaller alone; infinite where unknown."""
        error = self.found.parts[0].fitted.future_error if self.found is not None else None
        return error if error is not None and math.isfinite(error) else math.inf

    @property
    def why_not(self) -> str:
        """Why the runs do not tell it; empty where they do."""
        wrong = (found.message for found in self.findings if found.severity == "error")
        return "" if self.found is not None else next(wrong, "the runs do not tell it")


def compared(columns: Sequence[Compared]) -> tuple[Compared, ...]:
    """The best forecaster first; those of which that is not known after them, then those that were not fitted."""
    return tuple(sorted(columns, key=lambda column: (column.found is None, column.future_error)))
