"""A law whose constants are free, and a table of runs, into the law that the runs tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.finding import Finding
from runplan.engine.fit.expression import FormulaModel
from runplan.engine.fit.fit import fit
from runplan.engine.fit.form import COUNTS, Form, columns_of, forms_of
from runplan.engine.fit.outcome import Fitted, Objective
from runplan.engine.fit.pose import posed
from runplan.engine.fit.table import RunTable


@dataclass(frozen=True)
class Part:
    """A formula of a law with the constants that runs tell of it.

    Attributes:
        columns: Of each input, and of what it gives, the column of the runs.
    """

    form: Form
    columns: Mapping[str, str]
    model: FormulaModel
    fitted: Fitted

    @property
    def constants(self) -> dict[str, float]:
        """Their values at the best minimum, as the formula counts them."""
        theta = self.fitted.minima[0].theta
        return {name: float(column[0, 0]) for name, column in self.model.constants(theta[None, :]).items()}

    @property
    def misfit(self) -> float:
        """How far a run is from the form, as a standard deviation of the logarithm: of those that it did not see where
        that is known, and no less than of those that it saw.
        """
        relative = (
            self.fitted.residuals if self.model.log else self.fitted.residuals / np.mean(np.abs(self.model.measured))
        )
        seen = float(np.sqrt(np.mean(relative**2)))
        return max(seen, self.fitted.future_error or 0.0)


@dataclass(frozen=True)
class LawFit:
    """A law as runs tell it.

    Attributes:
        law: As the library has it.
        counts: How the runs count the params that it takes.
        table: The runs that it was fitted to.
        held: Constants that were not free.
        named: What the user called the form.
        findings: Of the runs and of the fit.
    """

    law: Law
    counts: str
    table: RunTable
    parts: tuple[Part, ...]
    held: Mapping[str, float]
    named: str
    findings: tuple[Finding, ...] = field(default=())

    @property
    def spent(self) -> str:
        """The column by which one run is larger than another; empty where none tells."""
        return next((name for name in ("compute", "tokens", "params") if name in self.table.columns), "")

    @property
    def constants(self) -> dict[str, float]:
        """All that were found or held, by name, in the order of the law."""
        known = {**self.held, **{name: value for part in self.parts for name, value in part.constants.items()}}
        return {name: known[name] for name in self.law.constants if name in known}


def forms_for(
    law: Law, table: RunTable, counts: str, held: Mapping[str, float]
) -> Iterator[tuple[Form, Mapping[str, str]]]:
    """The formulas of a law that the runs can tell, no two of which share a constant; the loss comes first."""
    found: set[str] = set()
    for form in sorted(forms_of(law, held), key=lambda form: form.output != "loss"):
        columns = columns_of(form, counts, table.columns)
        if set(columns.values()) <= set(table.columns) and found.isdisjoint(form.free):
            found |= set(form.free)
            yield form, columns


def fitted(
    law: Law,
    table: RunTable,
    *,
    counts: str = "",
    held: Mapping[str, float],
    objective: Objective,
    named: str = "",
    **options: int,
) -> LawFit:
    """The law whose constants make the objective small, each formula that the runs tell by itself.

    Args:
        counts: How the params are counted; as the law does unless said.
        options: Of `fit`.
    """
    parts = []
    for form, columns in forms_for(law, table, counts, held):
        model = posed(form, table, columns)
        own = Objective(objective.kind, objective.delta, objective.log and model.log)
        parts.append(Part(form, columns, model, fit(model, own, **options)))
    counted = counts or law.counts or "any"
    if counted == "any":
        counted = counted_by(parts)
    findings = tuple(found for part in parts for found in part.fitted.findings)
    return LawFit(law, counted, table, tuple(parts), held, named or law.name, findings)


def counted_by(parts: list[Part]) -> str:
    """How params are counted in the column that was taken for them."""

    taken = {
        column for part in parts for quantity, column in part.columns.items() if quantity in ("params", "active_params")
    }
    return next((counts for counts, column in COUNTS.items() if column in taken), "any")
