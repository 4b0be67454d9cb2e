"""A chart to lines of characters: the curve, its axis, and the parts of the axis that have a name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from runplan.cli.show.text.content import Chart
from runplan.cli.show.text.curve import between
from runplan.cli.show.text.figures import bare
from runplan.cli.show.text.width import columns
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show

ROWS = 8
WIDEST = 60
# A chart of fewer columns says nothing.
NARROWEST = 24
OPTIMUM, PLAN = "○", "●"


def drawn(chart: Chart, width: int) -> list[str]:
    """The chart in at most `width` columns; no lines where that is too few."""
    plan, best = math.log(chart.own), math.log(chart.least[0])
    first, last = _ends(chart)
    ends = [math.log(end) for end in (chart.stretches[0].low, chart.stretches[0].high)]
    seen = [plan] if first <= plan <= last else []
    low, high = max(first, min(*ends, *seen) - 0.5), min(last, max(*ends, *seen) + 0.5)
    most = max(_height(chart, low), _height(chart, high))
    step = (most - chart.least[1]) / (ROWS - 1)
    labels = [f"{most - i * step:.{3 if step >= 0.001 else 4}f} ┤" for i in range(ROWS)]
    gap = columns(labels[0])
    room = min(WIDEST, width - gap)
    if room < NARROWEST or step <= 0:
        return []

    def column(x: float) -> int:
        return round((x - low) / (high - low) * (room - 1))

    levels = [round((most - _height(chart, low + (high - low) * i / (room - 1))) / step) for i in range(room)]
    grid = _curve([min(max(level, 0), ROWS - 1) for level in levels])
    legend = [f"{OPTIMUM} optimum {_shown(chart.least[0], chart.dim)}"]
    at = column(best)
    grid[levels[at]][at] = OPTIMUM
    own = _shown(math.exp(plan), chart.dim)
    if not seen:
        side = "left" if plan < first else "right"
        legend.append(f"the plan's {own} lies off to the {side}")
    elif column(plan) == at:
        grid[levels[at]][at] = PLAN
        legend = [f"{PLAN} the plan and the optimum"]
    else:
        grid[levels[column(plan)]][column(plan)] = PLAN
        legend.append(f"{PLAN} the plan {own}")
    axis, ticks = _axis(low, high, room, column, chart.dim)
    lines = [label + "".join(row) for label, row in zip(labels, grid, strict=True)]
    below = [" " * (gap - 1) + axis, " " * gap + ticks]
    for part in chart.stretches:
        start, end = (column(min(max(math.log(x), low), high)) for x in (part.low, part.high))
        below.append(" " * gap + _bar(start, end, part.name, part.short, room))
    return [line.rstrip() for line in [chart.title, *lines, *below, " " * gap + "   ".join(legend)]]


def _ends(chart: Chart) -> tuple[float, float]:
    return math.log(chart.points[0][0]), math.log(chart.points[-1][0])


def _height(chart: Chart, x: float) -> float:
    """The value at a logarithm on the chart; rounding may put its ends a hair outside of the points."""
    first, last = _ends(chart)
    return between(chart.points, min(max(x, first), last)) or chart.least[1]


def _shown(value: float, dim: Dim, digits: int = 4) -> str:
    return bare(show(value, dim, digits))


def _curve(levels: Sequence[int]) -> list[list[str]]:
    """A line through the levels, one a column, counted from the top."""
    grid = [[" "] * len(levels) for _ in range(ROWS)]
    for i, level in enumerate(levels):
        before = levels[max(i - 1, 0)]
        if before == level:
            grid[level][i] = "─"
            continue
        down = level > before
        grid[before][i], grid[level][i] = ("╮", "╰") if down else ("╯", "╭")
        for row in range(min(before, level) + 1, max(before, level)):
            grid[row][i] = "│"
    return grid


def _axis(low: float, high: float, room: int, column: Callable[[float], int], dim: Dim) -> tuple[str, str]:
    """The axis with its ticks, and their labels."""
    axis, labels = ["─"] * room, ""
    for power in range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1):
        for digit in (1, 2, 5):
            x = math.log(digit) + power * math.log(10)
            if low <= x <= high:
                text = _shown(math.exp(x), dim, 3)
                at = column(x)
                start = max(0, at - len(text) // 2)
                axis[at] = "┬"
                if (not labels or start > len(labels)) and start + len(text) <= room:
                    labels = labels.ljust(start) + text
    return "└" + "".join(axis), labels


def _bar(start: int, end: int, text: str, short: str, room: int) -> str:
    """A stretch under the axis, with its name in it or beside it."""
    inside = end - start - 1
    for said in (text, short):
        if inside >= len(said) + 2:
            return " " * start + f"├{f' {said} ':─^{inside}}┤"
    bar = f"├{'─' * inside}┤" if inside >= 0 else "│"
    if start + len(bar) + 1 + len(text) <= room:
        return " " * start + f"{bar} {text}"
    return " " * (start - len(text) - 1) + f"{text} {bar}" if start > len(text) else " " * start + bar
