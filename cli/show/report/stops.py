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

GOODPUT, _PRICE = "goodput", "useful_price"


def sections(report: Report) -> Iterator[Section]:
    """Goodput and its parts, of a plan that asks for it: a law a column, or a stage where stages have their own."""
    solutions = [solution for solution in report.solutions if number(solution, GOODPUT) is not None]
    if solutions:
        yield Section("Goodput", by_law(solutions, _rows(report, solutions, _cell)))
    elif stages := _stages(report):
        heads = ("", *(plain(name) for name, _ in stages))
        yield Section("Goodput", table(_rows(report, [stage for _, stage in stages], _figure), heads))


def in_a_line(report: Report) -> Iterator[str]:
    """What stops leave under the first law that says it, of a screen without details."""
    whole = [("", solution) for solution in report.solutions if number(solution, GOODPUT) is not None]
    for name, solution in whole[:1] or _stages(report):
        if number(solution, GOODPUT) is not None:
            where = f"In `{plain(name)}` stops" if name else "Stops"
            often, every = _figure(solution, "mtbf"), _figure(solution, "checkpoint_interval")
            hour = f"; an hour that counts costs {_figure(solution, _PRICE)}" if number(solution, _PRICE) else ""
            yield f"{where} leave {_said(solution)} of the time: one every {often}, a checkpoint every {every}{hour}."


def _said(solution: Solution) -> str:
    value = solution.quantity(GOODPUT)
    beside = "" if value is None else interval(GOODPUT, value, solution.problem.quantities)
    return f"{_figure(solution, GOODPUT)} {beside}".rstrip()


def _stages(report: Report) -> list[tuple[str, Solution]]:
    """The stages of the first solution by name, where one of them has its own goodput; none where the run has it."""
    first = next(iter(report.solutions), None)
    if first is None:
        return []
    named = [(stage.name, own) for stage, own in zip(first.problem.stages, stages_of(first), strict=False)]
    return named if any(number(own, GOODPUT) is not None for _, own in named) else []


def _rows(
    report: Report, solutions: Sequence[Solution], cell: Callable[[Solution, str], str | Cell]
) -> list[tuple[str | Cell, ...]]:
    known = known_of(report)
    return [
        (label(name, known), *(cell(solution, name) for solution in solutions))
        for name in known.rows(GOODPUT)
        if any(number(solution, name) is not None for solution in solutions)
    ]


def _figure(solution: Solution, name: str) -> str:
    value, known = solution.quantity(name), solution.problem.quantities
    return NOTHING if value is None else bare(figure(name, value.value, value.dim, known))


def _cell(solution: Solution, name: str) -> Cell:
    """A figure with its interval, for which stages side by side have no room."""
    value = solution.quantity(name)
    beside = "" if value is None else interval(name, value, solution.problem.quantities)
    return Cell(_figure(solution, name), beside)
