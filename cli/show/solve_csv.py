"""A solved plan as tidy CSV: one row a law and quantity, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from runplan.cli.show.summary import plain
from runplan.engine.document import TRANSFER, quantities, quantity
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

COLUMNS = ("law", "resolved", "status", "quantity", "value", "unit", "low", "high")
# What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@")


def render(report: Report) -> str:
    """The header and the rows; a law without a number has one row, so that its status is not lost."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for solution in report.solutions:
        law = [safe(solution.law), safe(solution.resolved), solution.status]
        rows = [(name, quantity(value)) for name, value in _values(solution)]
        for name, shown in rows:
            writer.writerow([*law, safe(name), *(shown.get(key, "") for key in COLUMNS[4:])])
        if not rows:
            writer.writerow([*law, "", "", "", "", ""])
    return stream.getvalue()


def _values(solution: Solution) -> Iterator[tuple[str, Value]]:
    yield from quantities(solution)
    yield from ((name, value) for name in TRANSFER if (value := solution.quantity(name)))
    for source in solution.sources:
        found = solution.within(("source", source))
        yield from ((f"{key}.{source}", found[key]) for key in ("tokens", "share", "epochs") if key in found)


def safe(text: str) -> str:
    """Text that a spreadsheet takes for text."""
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
