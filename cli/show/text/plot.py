"""A plot to lines of characters: points over two axes, a dotted line through them, and ticks on both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from runplan.cli.show.text.content import Plot, PlotAxis
from runplan.cli.show.text.width import columns
from runplan.dsl.dataclass import dataclass
from runplan.dsl.units.base import TIME
from runplan.dsl.units.show import json_unit

ROWS = 14
WIDEST = 110
# A plot of fewer columns says nothing.
NARROWEST = 24
POINT, OWN, BETWEEN = "●", "○", "·"
# Of an axis with equal ratios: one over less than this has its ticks evenly apart.
SPAN = 5.0
# Ticks on an axis with equal steps, about.
TICKS = 5
# What an axis is longer than the points that are on it, at each end, as a share.
MARGIN = 0.03
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _Range:
    """An axis from end to end, in what is even on it: the value, or its logarithm."""

    axis: PlotAxis
    low: float
    high: float

    @staticmethod
    def over(axis: PlotAxis, values: Sequence[float]) -> _Range:
        """The axis over values, with a margin."""
        at = [math.log(value) if axis.logarithmic else value for value in values]
        margin = MARGIN * (max(at) - min(at)) or MARGIN * max(map(abs, at)) or 1.0
        return _Range(axis, min(at) - margin, max(at) + margin)

    def place(self, value: float, cells: int) -> int:
        """Which of so many cells a value falls into."""
        at = math.log(value) if self.axis.logarithmic else value
        return min(max(round((at - self.low) / (self.high - self.low) * (cells - 1)), 0), cells - 1)

    def ticks(self) -> list[float]:
        """Round values on it, in the unit that people count it in."""
        unit = DAY if self.axis.dim == TIME else json_unit(self.axis.dim)[1] if self.axis.logarithmic else DAY
        low, high = ((math.exp(end) if self.axis.logarithmic else end) / unit for end in (self.low, self.high))
        if self.axis.logarithmic and high / low >= SPAN:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            # Over many decades only the first digit of each.
            digits = (1, 2, 5) if len(powers) < TICKS else (1,)
            found = [digit * 10.0**power for power in powers for digit in digits]
        else:
            step = _round((high - low) / TICKS)
            found = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
        return [tick * unit for tick in found if low <= tick <= high]


def _round(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))


def plotted(plot: Plot, width: int) -> list[str]:
    """The plot in at most `width` columns; no lines where that is too few."""
    shown = [*plot.points, *([plot.own] if plot.own else [])]
    across, up = (_Range.over(axis, [point[i] for point in shown]) for i, axis in enumerate((plot.x, plot.y)))
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
    axis, ticks = _axis(across.ticks(), room, lambda tick: across.place(tick, room), plot.x.said)
    name = plot.x.name.rjust(gap + room)
    return [line.rstrip() for line in (plot.y.name, *lines, " " * (gap - 1) + axis, " " * gap + ticks, name)] + [
        " " * gap + "   ".join(legend)
    ]


def _axis(
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
