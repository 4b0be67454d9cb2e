"""What a value comes to at the ends of the figures that it answers to, as cells of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import NOTHING, Line, Section, table
from runplan.cli.show.text.figures import figure, from_to, per_cent
from runplan.cli.show.text.names import said
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import is_share
from runplan.dsl.expr.name import Name
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.analysis.constants import constants_of
from runplan.engine.analysis.sensitivity import Slope
from runplan.engine.analysis.tornado import End, Swing
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Solution

CANNOT = "cannot be"
NO_ROOM = "no room"
# Of where a figure is tried.
_DIGITS = 3


def section(solution: Solution, name: Name, swings: Sequence[Swing], title: str) -> Section:
    """A row a figure, the strongest first: where it is tried, what comes of it, and how fast it changes at first."""
    heads = ("", "from .. to", said(solution, name), "1 % more")
    rows = [*_rows(solution, name, swings)]
    if swings and (constants := constants_of(solution, name)) is not None:
        above = [i for i, one in enumerate(swings) if (one.breaks and one.slope) or one.width >= constants.width]
        dim = solution.values[name].dim
        ends = (_figure(name.text, end, dim, solution) for end in (constants.low, constants.high))
        rows.insert(len(above), (constants.text, "8 in 10 draws", from_to(*ends), NOTHING))
    return Section(title, table(rows, heads, wrap=0))


def _rows(solution: Solution, name: Name, swings: Sequence[Swing]) -> Iterator[Line]:
    dim, known = solution.values[name].dim, solution.problem.quantities

    def value(end: End) -> str:
        return CANNOT if end.value is None else _figure(name.text, end.value, dim, solution)

    for swing in swings:
        cause = swing.cause
        label = plain(cause.text) if isinstance(cause.of, Constraint) else said(solution, cause.of.name)
        tried = [
            per_cent(end.figure)
            if cause.likely or (cause.name and is_share(cause.name, known))
            else show(end.figure, cause.dim, _DIGITS)
            for end in (swing.low, swing.high)
        ]
        yield (label, from_to(*tried), from_to(*map(value, (swing.low, swing.high))), _speed(swing))


def _figure(name: str, value: float, dim: Dim, solution: Solution) -> str:
    """A figure with the digits by which ends differ."""
    return f"{value:.4f}" if name == "loss" else figure(name, value, dim, solution.problem.quantities)


def _speed(swing: Swing) -> str:
    """By how many per cent the value changes for one of the figure; nothing of what has no derivative."""
    slope = swing.slope
    if slope is None:
        return NOTHING if swing.cause.likely else "0 %"
    if slope.is_smooth:
        return _per_cent(slope, slope.more)
    return f"{_per_cent(slope, slope.more)} above, {_per_cent(slope, slope.less)} below"


def _per_cent(slope: Slope, side: float | None) -> str:
    return NO_ROOM if side is None else f"{side / slope.value:+.2g} %"
