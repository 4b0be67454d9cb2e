"""A solved plan as tidy CSV: one row a law and quantity, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.csv import csv_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.figures import quantity
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.problem.told import LISTED, quantities
from runplan.engine.report import Report
from runplan.engine.results import imported_of

COLUMNS = ("law", "resolved", "status", "quantity", "value", "unit", "low", "high")


def render(report: Report, look: Look = PLAIN) -> str:
    """The header and the rows; a law without a number has one row, so that its status is not lost."""
    return csv_text(COLUMNS, (row for solution in report.solutions for row in _rows(report, solution)))


def _rows(report: Report, solution: Solution) -> Iterator[list[object]]:
    law: list[object] = [solution.law, solution.resolved, solution.status]
    imported = imported_of(report.plan, solution) if report.plan else {}
    values = [*_values(solution), *((name, value) for name, (value, _) in imported.items())]
    rows = [[*law, name, *(quantity(value).get(key, "") for key in COLUMNS[4:])] for name, value in values]
    yield from rows or [[*law, *("" for _ in COLUMNS[3:])]]


def _values(solution: Solution) -> Iterator[tuple[str, Value]]:
    yield from quantities(solution, *LISTED)
    for source in solution.sources:
        found = solution.within(("source", source))
        mixed = (found[key] for key in ("tokens", "share", "epochs") if key in found)
        yield from ((str(value.name), value) for value in mixed)
