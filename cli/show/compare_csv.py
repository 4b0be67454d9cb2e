"""A comparison as tidy CSV: one row a column and quantity, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from io import StringIO

from runplan.cli.show.solve_csv import safe
from runplan.engine.compare import Comparison
from runplan.engine.compare_document import rounded, rows
from runplan.engine.document import amount

COLUMNS = ("name", "file", "law", "resolved", "status", "quantity", "value", "unit", "beyond", "spread")


def render(comparison: Comparison) -> str:
    """The header and the rows; the regret under a law stands as `regret under LAW`."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    table = list(rows(comparison.columns))
    for i, column in enumerate(comparison.columns):
        solution = column.solution
        head = [safe(text) for text in (column.name, column.report.source.path, solution.law, solution.resolved)]
        head.append(solution.status)
        for found in table:
            value = found.values[i]
            if value is not None:
                shown = amount(value, found.dim)
                factor = column.beyond.get(found.quantity)
                ends = ["" if figure is None else rounded(figure) for figure in (factor, found.spread)]
                writer.writerow([*head, found.quantity, shown["value"], shown["unit"], *ends])
        for judge, verdict in zip(comparison.judges, comparison.verdicts[i], strict=True):
            if verdict:
                name = safe(f"regret under {comparison.columns[judge].name}")
                writer.writerow([*head, name, rounded(verdict.regret), "1", "", ""])
    return stream.getvalue()
