"""A part of the report of a solved plan, before it is a table on a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runplan.cli.show.summary import plain
from runplan.cli.show.terminal import Line
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table, and what is said under it.

    Attributes:
        heads: Of a table of figures; empty where the lines are a name and a text each.
        apart: The column at which a table that is too wide is best parted.
        chart: Lines of a chart in so many columns, none where that is too few; for terminals alone.
        said: Sentences that tell something.
        notes: Sentences on how to read the section.
    """

    title: str
    lines: tuple[Line, ...]
    heads: Line = ()
    apart: int = 0
    chart: Callable[[int], list[str]] | None = None
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def under(report: Report, text: str, solution: Solution) -> str:
    """A heading of what is true under one law, which it names where there are several."""
    return f"{text}, under {plain(solution.law)}" if len(report.solutions) > 1 else text


def by_law(solutions: list[Solution], rows: list[Line]) -> tuple[Line, tuple[Line, ...]]:
    """Heads and lines of rows with one figure a law; no heads where there is one law."""
    return (("", *(plain(s.law) for s in solutions)) if len(solutions) > 1 else ()), tuple(rows)
