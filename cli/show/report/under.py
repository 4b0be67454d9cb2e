"""Laws to the headings and tables that tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runplan.cli.show.text.content import Cell, Table, table
from runplan.cli.show.text.plain import plain
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report


def under(report: Report, text: str, solution: Solution) -> str:
    """A heading of what is true under one law, which it names where there are several."""
    return f"{text}, under {plain(solution.law)}" if len(report.solutions) > 1 else text


def by_law(solutions: Sequence[Solution], rows: Iterable[Iterable[str | Cell]]) -> Table:
    """A table of a name and one figure a law; of a name and a text where there is one law."""
    if len(solutions) < 2:
        return table(rows)
    return table(rows, ("", *(plain(solution.law) for solution in solutions)), figures=True)
