"""A frontier as data for people: the curve as a plot and as a table, what limits it, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.content import NOTHING, Cell, Line, Plot, PlotAxis, Table, table
from runplan.cli.show.text.figures import bare, figure, interval
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import HEADLINE, Known, label
from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.codes import RANK
from runplan.engine.frontier.curve import FOLLOWED, Axis, Point
from runplan.engine.frontier.frontier import Frontier
from runplan.engine.problem.solution import Value
from runplan.engine.problem.told import applying

# Values that differ by no more than this share are one.
SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Content:
    """All that a frontier for people says, safe to print.

    Attributes:
        what: Of which quantities it is, and by which law.
        headline: From where to where the curve runs, in a line that stands alone.
        plot: None where the curve is one point.
        points: One row a point: the two quantities, then what else changes along the curve.
        limits: What binds, from which value to which of the first quantity.
        findings: The errors, then the warnings: severity, code, message.
    """

    path: str
    what: str
    headline: str
    plot: Plot | None
    points: Table
    limits: Table
    notes: tuple[str, ...]
    findings: Table


def content(frontier: Frontier) -> Content:
    """All that there is to say of a frontier that has points."""
    known = frontier.points[0].solution.problem.quantities
    x, y = frontier.axes
    said = " and ".join(f"{'least' if axis.sense == 'minimize' else 'most'} {plain(axis.text)}" for axis in (x, y))
    said = said[0].upper() + said[1:]
    others = [name for name in HEADLINE if name not in (x.text, y.text) and _differs(frontier, name)]
    heads = (*(label(plain(axis.text), known) for axis in (x, y)), *(label(name, known) for name in others))
    return Content(
        path=plain(frontier.report.source.path),
        what=f"{said}, by {plain(frontier.points[0].solution.resolved)}",
        headline=_headline(frontier, known),
        plot=_plot(frontier, known) if len(frontier.points) > 1 else None,
        points=table(_rows(frontier, others, known), heads, figures=True),
        limits=table(_limits(frontier, known), (label(plain(x.text), known), "limited by")),
        notes=tuple(map(plain, _notes(frontier, known))),
        findings=table(_findings(frontier), ("severity", "code", "finding"), wrap=2),
    )


def wrong(frontier: Frontier) -> Checked:
    """What keeps a plan from having a curve."""
    return Checked(tuple(found for found in frontier.findings if found.severity != "info"), 1)


def _headline(frontier: Frontier, known: Known) -> str:
    first, last = frontier.points[0], frontier.points[-1]
    if len(frontier.points) == 1:
        return f"both are best at once, {_said(first.x, known)} and {_said(first.y, known)}"
    parts = [
        f"{plain(axis.text)} {bare(_said(a, known))} to {_said(b, known)}"
        for axis, a, b in zip(frontier.axes, (first.x, first.y), (last.x, last.y), strict=True)
    ]
    return f"{', '.join(parts)}, {len(frontier.points)} points"


def _said(value: Value, known: Known) -> str:
    return plain(figure(str(value.name), value.value, value.dim, known))


# ---- the points


def _differs(frontier: Frontier, name: str) -> bool:
    """Whether a quantity changes along the curve."""
    values = [value.value for point in frontier.points if (value := applying(point.solution, name))]
    return bool(values) and max(values) - min(values) > SAME * max(map(abs, values))


def _rows(frontier: Frontier, others: list[str], known: Known) -> Iterator[tuple[Cell, ...]]:
    for point in frontier.points:
        rest = (applying(point.solution, name) for name in others)
        yield (*(_cell(value, known) for value in (point.x, point.y)), *(_plain(value, known) for value in rest))


def _cell(value: Value, known: Known) -> Cell:
    return Cell(bare(_said(value, known)), interval(str(value.name), value, known))


def _plain(value: Value | None, known: Known) -> Cell:
    return Cell(NOTHING if value is None else bare(_said(value, known)))


def _limits(frontier: Frontier, known: Known) -> Iterator[Line]:
    """What binds, for each stretch of the curve along which that is the same."""
    for limits, points in groupby(frontier.points, key=lambda point: point.limits):
        ends = [bare(_said(point.x, known)) for point in points]
        where = ends[0] if ends[0] == ends[-1] else f"{ends[0]} {NOTHING} {ends[-1]}"
        yield where, plain(", ".join(limits)) or "nothing else"


# ---- the plot


def _plot(frontier: Frontier, known: Known) -> Plot:
    def axis(of: Axis, side: str) -> PlotAxis:
        values = [getattr(point, side).value for point in frontier.points]
        name = str(getattr(frontier.points[0], side).name)
        # A cell has no room for an interval, nor an axis for a unit on each figure.
        return PlotAxis(label(plain(of.text), known), of.dim, lambda value: bare(figure(name, value, of.dim, known)),
                        min(values) > 0 and of.is_figure)  # fmt: skip

    x, y = frontier.axes
    own = None if frontier.own is None else _place(frontier.own)
    return Plot(axis(x, "x"), axis(y, "y"), tuple(map(_place, frontier.points)), own)


def _place(point: Point) -> tuple[float, float]:
    return point.x.value, point.y.value


# ---- how to read it


def _notes(frontier: Frontier, known: Known) -> Iterator[str]:
    x, y = frontier.axes
    if len(frontier.points) == 1:
        yield (
            f"No better `{x.text}` is to be had for a worse `{y.text}`: what the plan gives decides one of the two, or "
            "they go together. Leave open what decides it, as `up to 6 months` or `? x H100` does."
        )
    if any(value.low is not None for point in frontier.points for value in (point.x, point.y)):
        yield "In brackets: 80 % intervals."
    for axis in frontier.axes:
        if axis.open:
            yield (
                f"`{axis.text}` gets better without end: the curve is cut where `{x.text}` has changed by a factor of "
                f"{FOLLOWED:,.0f}{'' if x.is_figure else ', counted from the beginning'}."
            )
    if frontier.missed:
        yield f"Between the points, {frontier.missed} levels that were tried had no solution that was found."
    own = frontier.own
    if own is not None:
        yield f"The plan as it stands: {x.text} {_said(own.x, known)}, {y.text} {_said(own.y, known)}."


def _findings(frontier: Frontier) -> Iterator[Line]:
    for found in sorted(frontier.findings, key=lambda found: RANK[found.severity]):
        if found.severity != "info":
            yield found.severity, found.code, plain(found.message)
