"""A plot to lines of characters: points over two axes, a dotted line through them, and ticks on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from runplan.cli.show.text.content import Plot
from runplan.cli.show.text.scale import Scale
from runplan.cli.show.text.width import columns

ROWS = 14
WIDEST = 110
# A plot of fewer columns says nothing.
NARROWEST = 24
POINT, OWN, BETWEEN = "●", "○", "·"


def plotted(plot: Plot, width: int) -> list[str]:
    """The plot in at most `width` columns; no lines where that is too few."""
    shown = [*plot.points, *([plot.own] if plot.own else [])]
    across, up = (Scale.over(axis, [point[i] for point in shown]) for i, axis in enumerate((plot.x, plot.y)))
    labels = {ROWS - 1 - up.place(tick, ROWS): plot.y.said(tick) for tick in up.ticks()}
    gap = max(map(columns, labels.values()), default=0) + 2
    room = min(WIDEST, width - gap)
    if room < NARROWEST:
        return []

    def cell(point: tuple[float, float]) -> tuple[int, int]:
        return across.place(point[0], room), ROWS - 1 - up.place(point[1], ROWS)

    grid = [[" "] * room for _ in range(ROWS)]
    cells = list(map(cell, plot.points))
    for (x, y), (x2, y2) in pairwise(cells):
        steps = max(abs(x2 - x), abs(y2 - y), 1)
        for i in range(steps + 1):
            grid[round(y + (y2 - y) * i / steps)][round(x + (x2 - x) * i / steps)] = BETWEEN
    for x, y in cells:
        grid[y][x] = POINT
    legend = [f"{POINT} solved"]
    if plot.own:
        x, y = cell(plot.own)
        grid[y][x] = OWN
        legend.append(f"{OWN} the plan as it stands")
    lines = [
        f"{labels.get(row, ''):>{gap - 2}} {'┤' if row in labels else '│'}{''.join(line)}"
        for row, line in enumerate(grid)
    ]
    line, ticks = axis(across.ticks(), room, lambda tick: across.place(tick, room), plot.x.said)
    name = plot.x.name.rjust(gap + room)
    return [line.rstrip() for line in (plot.y.name, *lines, " " * (gap - 1) + line, " " * gap + ticks, name)] + [
        " " * gap + "   ".join(legend)
    ]


def axis(
    ticks: Sequence[float], room: int, column: Callable[[float], int], said: Callable[[float], str]
) -> tuple[str, str]:
    """The axis with its ticks, and their labels where there is room for them."""
    axis, labels = ["─"] * room, ""
    for tick in ticks:
        text, at = said(tick), column(tick)
        start = max(0, at - len(text) // 2)
        if (not labels or start > len(labels) + 1) and start + len(text) <= room:
            axis[at] = "┬"
            labels = labels.ljust(start) + text
    return "└" + "".join(axis), labels
