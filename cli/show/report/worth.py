"""What holds a plan back and what more of it is worth, and the figures that its answer hangs on most."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.report.under import under
from runplan.cli.show.text.content import NOTHING, Cell, Section, table
from runplan.cli.show.text.decisions import sections as decisions
from runplan.cli.show.text.figures import figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.swings import section
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.analysis.tornado import asked_of, swings
from runplan.engine.analysis.worth import Price, Worth, worth_of
from runplan.engine.decide.alone import decided_alone
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# Digits of what more of a limit is worth.
_DIGITS = 3


def sections(report: Report) -> Iterator[Section]:
    """For each law what its limits are worth; under the first one the figures that matter most, and its choice."""
    for solution in report.solutions:
        worth = worth_of(solution)
        if worth is not None and worth.prices:
            yield _worth(report, solution, worth)
    if report.solutions and report.solutions[0].status == "solved":
        yield from _swings(report, report.solutions[0])
    if report.solutions and report.plan is not None:
        first = report.solutions[0]
        found = decided_alone(report.plan, first)
        if found is not None:
            yield from decisions(found, first, lambda title: under(report, title, first))


def _worth(report: Report, solution: Solution, worth: Worth) -> Section:
    goal = plain(worth.goal)
    heads = ("", "more", "worth", goal, "without it")
    rows = [_row(solution, worth, price) for price in worth.prices]
    used = [i for i in range(len(heads)) if i == 0 or any(row[i].text != NOTHING for row in rows)]
    kept = table([[row[i] for i in used] for row in rows], tuple(heads[i] for i in used), figures=True)
    at = _figure(solution, worth, worth.value)
    notes = (
        f"Worth: how {goal} changes by the derivative, from {at}; beside it what it comes to, solved anew. "
        "Counts are not rounded here.",
    )
    return Section(under(report, "What holds it back, and what more is worth", solution), kept, notes=notes)


def _row(solution: Solution, worth: Worth, price: Price) -> list[Cell]:
    def reached(value: float | None) -> Cell:
        return Cell(NOTHING if value is None else _figure(solution, worth, value))

    more = NOTHING if price.more is None else _signed(price.more, price.dim)
    change = NOTHING if price.change is None else _signed(price.change, worth.dim)
    return [Cell(plain(price.text)), Cell(more), Cell(change), reached(price.solved), reached(price.without)]


def _signed(value: float, dim: Dim) -> str:
    text = show(abs(value), dim, _DIGITS)
    return text if value == 0 else f"{'+' if value > 0 else '-'}{text}"


def _figure(solution: Solution, worth: Worth, value: float) -> str:
    if worth.name is None:
        return show(value, worth.dim)
    if worth.name.text == "loss":
        return f"{value:.4f}"
    return figure(worth.name.text, value, worth.dim, solution.problem.quantities)


def _swings(report: Report, solution: Solution) -> Iterator[Section]:
    """What moves most what one would ask of the plan first."""
    name = asked_of(solution)
    found = swings(solution, name) if name is not None else ()
    if name is not None and found:
        title = f"What would change the {name}: figures 10 % off, or over their range, each solved anew"
        yield section(solution, name, found, under(report, title, solution))
