"""A comparison as tidy CSV: one row a column and quantity, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.csv import csv_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.comparison.compare import Comparison
from runplan.engine.documents.compare import rows
from runplan.engine.documents.figures import amount, rounded

COLUMNS = ("name", "file", "law", "resolved", "status", "quantity", "value", "unit", "beyond", "spread")


def render(comparison: Comparison, look: Look = PLAIN) -> str:
    """The header and the rows; the regret under a law stands as `regret under LAW`."""
    return csv_text(COLUMNS, _rows(comparison))


def _rows(comparison: Comparison) -> Iterator[list[object]]:
    table = list(rows(comparison.columns))
    for i, column in enumerate(comparison.columns):
        solution = column.solution
        head: list[object] = [column.name, column.report.source.path, solution.law, solution.resolved, solution.status]
        for found in table:
            value = found.values[i]
            if value is not None:
                shown = amount(value, found.dims[i])
                factor = column.beyond.get(found.quantity)
                ends = ["" if figure is None else rounded(figure) for figure in (factor, found.spread)]
                yield [*head, found.quantity, shown["value"], shown["unit"], *ends]
        for judge, verdict in zip(comparison.judges, comparison.verdicts[i], strict=True):
            if verdict:
                name = f"regret under {comparison.columns[judge].name}"
                yield [*head, name, rounded(verdict.regret), "1", "", ""]
