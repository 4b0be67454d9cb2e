"""What stops leave of the time: goodput and its parts, a law a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runplan.cli.show.report.under import by_law
from runplan.cli.show.text.content import NOTHING, Cell, Section, table
from runplan.cli.show.text.figures import bare, figure, interval
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import known_of, label, number
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

GOODPUT = "goodput"


def sections(report: Report, details: bool) -> Iterator[Section]:
    """Goodput and its parts, of a plan that asks for it, a law a column; where stages have their own, a stage a column.

    Args:
        details: Whether each part has a row; on a screen without, what it comes to.
    """
    solutions = [solution for solution in report.solutions if number(solution, GOODPUT) is not None]
    if solutions:
        yield Section("Goodput", by_law(solutions, _rows(report, solutions, details, _cell)))
        return
    first = next(iter(report.solutions), None)
    stages = list(stages_of(first)) if first is not None else []
    if first is None or all(number(stage, GOODPUT) is None for stage in stages):
        return
    heads = ("", *(plain(stage.name) for stage in first.problem.stages))
    yield Section("Goodput", table(_rows(report, stages, details, _figure), heads))


def _rows(
    report: Report, solutions: Sequence[Solution], details: bool, cell: Callable[[Solution, str], str | Cell]
) -> list[tuple[str | Cell, ...]]:
    known = known_of(report)
    return [
        (label(name, known), *(cell(solution, name) for solution in solutions))
        for name in known.rows(GOODPUT)
        if (details or name in _BRIEF) and any(number(solution, name) is not None for solution in solutions)
    ]


# What a screen has room for.
_BRIEF = (GOODPUT, "failures", "interruptions", "mtbf", "checkpoint_interval", "useful_price")


def _figure(solution: Solution, name: str) -> str:
    value, known = solution.quantity(name), solution.problem.quantities
    return NOTHING if value is None else bare(figure(name, value.value, value.dim, known))


def _cell(solution: Solution, name: str) -> Cell:
    """A figure with its interval, for which stages side by side have no room."""
    value = solution.quantity(name)
    beside = "" if value is None else interval(name, value, solution.problem.quantities)
    return Cell(_figure(solution, name), beside)
