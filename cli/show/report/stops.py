"""What stops leave of the time: goodput and its parts, a law a column."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.report.under import by_law
from runplan.cli.show.text.content import NOTHING, Cell, Section
from runplan.cli.show.text.figures import bare, figure, interval
from runplan.cli.show.text.quantities import known_of, label, number
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

GOODPUT = "goodput"


def sections(report: Report, details: bool) -> Iterator[Section]:
    """Goodput and its parts, of a plan that asks for it; on a screen without details only what it comes to.

    Args:
        details: Whether each part has a row.
    """
    solutions = [solution for solution in report.solutions if number(solution, GOODPUT) is not None]
    if not solutions:
        return
    known = known_of(report)
    names = [name for name in known.rows(GOODPUT) if details or name in _BRIEF]
    rows: list[tuple[str | Cell, ...]] = [
        (label(name, known), *(_cell(solution, name) for solution in solutions))
        for name in names
        if any(number(solution, name) is not None for solution in solutions)
    ]
    yield Section("Goodput", by_law(solutions, rows))


# What a screen has room for.
_BRIEF = (GOODPUT, "failures", "interruptions", "mtbf", "checkpoint_interval", "useful_price")


def _cell(solution: Solution, name: str) -> Cell:
    value = solution.quantity(name)
    if value is None:
        return Cell(NOTHING)
    known = solution.problem.quantities
    return Cell(bare(figure(name, value.value, value.dim, known)), interval(name, value, known))
