"""A frontier as CSV: one row a point, one column a quantity, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.csv import csv_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.figures import amount
from runplan.engine.frontier.curve import Point
from runplan.engine.frontier.frontier import Frontier
from runplan.engine.problem.solution import Value
from runplan.engine.problem.told import OWN, quantities


def render(frontier: Frontier, look: Look = PLAIN) -> str:
    """The header and the rows; a quantity's unit stands in its head, its interval behind it as `low` and `high`."""
    rows = [dict(_cells(frontier, point)) for point in frontier.points]
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return csv_text(heads, [[row.get(head, "") for head in heads] for row in rows])


def _cells(frontier: Frontier, point: Point) -> Iterator[tuple[str, object]]:
    own = {axis.text for axis in frontier.axes}
    for axis, value in zip(frontier.axes, (point.x, point.y), strict=True):
        yield from _figures(axis.text, value)
    for name, value in quantities(point.solution, *OWN):
        if name not in own:
            yield from _figures(name, value)
    yield "limited by", "; ".join(point.limits)


def _figures(name: str, value: Value) -> Iterator[tuple[str, object]]:
    for said, figure in ((name, value.value), (f"{name} low", value.low), (f"{name} high", value.high)):
        if figure is not None:
            shown = amount(figure, value.dim)
            yield f"{said} [{shown['unit']}]", shown["value"]
