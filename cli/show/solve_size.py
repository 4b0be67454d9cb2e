"""How much the size matters: the sizes that lose little at the plan's compute, what others cost, and a chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from runplan.cli.show.figures import NOTHING, bare, per_cent
from runplan.cli.show.section import Section, by_law, under
from runplan.cli.show.summary import plain
from runplan.cli.show.terminal import Line, columns
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.analysis.band import COMPUTE, NATS, Band
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_PARAM, _TOKEN, _FLOP = (unit(name).dim for name in ("param", "token", "FLOP"))
_WITHIN_LOSS = f"within {NATS:g} nats"
_WITHIN_COMPUTE = f"within {COMPUTE:.0%} compute"
# The sizes of the table, as shares of the optimum.
_SIZES = (0.5, 2 / 3, 1.0, 1.5, 2.0)
# What is nearer to the optimum, or to its compute, is as good as there.
_SAME = 0.005
_NONE = 1e-6

ROWS = 8
WIDEST = 60
# A chart of fewer columns says nothing.
NARROWEST = 24
OPTIMUM, PLAN = "○", "●"


def sections(report: Report) -> Iterator[Section]:
    """The band of each law that has one; a chart, and what other sizes cost, under the first of them."""
    found = [(solution, band) for solution, band in zip(report.solutions, report.bands, strict=False) if band]
    if not found:
        return
    solution, band = found[0]
    columns = [_summary(*pair) for pair in found]
    labels = ("optimum", "its loss", _WITHIN_LOSS, _WITHIN_COMPUTE, "the plan's size", "its regret")
    rows = [(label, *cells) for label, *cells in zip(labels, *columns, strict=True)]
    heads, lines = by_law([solution for solution, _ in found], rows)
    yield Section(
        "Size" if len(found) > 1 else under(report, "Size", solution),
        lines,
        heads,
        chart=lambda width: _chart(solution, band, width, len(found) > 1),
        said=tuple(_said(solution, band)),
        notes=tuple(_notes(found)),
    )
    yield _others(report, solution, band)


def _summary(solution: Solution, band: Band) -> tuple[str, ...]:
    size = solution.get("law_params") or 0.0
    regret = solution.get("regret")
    times = size / band.optimum
    apart = "" if abs(times - 1) < _SAME else f", {times:.2g}x the optimum"
    return (
        _size(band.optimum),
        f"{band.loss:.4f}",
        _between(band.by_loss),
        _between(band.by_compute),
        f"{_size(size)}{apart}",
        NOTHING if regret is None else "none" if regret < _NONE else f"{_share(regret)} more compute",
    )


def _said(solution: Solution, band: Band) -> Iterator[str]:
    """Why the optimum is out of reach, where it is."""
    wanted, most = band.compute / 6.0 / band.optimum, _most_tokens(solution)
    if wanted > most * (1 + _SAME):
        have = show(most, _TOKEN)
        yield f"The optimum is out of reach: it takes {show(wanted, _TOKEN)}, and the plan's data give {have}."


def _notes(found: Sequence[tuple[Solution, Band]]) -> Iterator[str]:
    yield "The optimum is the law's own at the plan's compute, before any requirement."
    yield "Regret is compute beyond the least for the loss that the plan reaches."
    if any(solution.get("inference_tokens") for solution, _ in found):
        yield "Both are of training alone; the inference makes smaller sizes cheaper."
    for counts, said in (("non_embedding", "without embeddings"), ("active", "that are active")):
        laws = [f"`{plain(s.law)}`" for s, _ in found if s.problem.law.counts == counts]
        if laws:
            yield f"Under {' and '.join(laws)} the sizes here are params {said}."


def _others(report: Report, solution: Solution, band: Band) -> Section:
    """The table of a few sizes around the optimum."""
    most = _most_tokens(solution)
    lines: list[Line] = []
    for share in _SIZES:
        size = share * band.optimum
        x = math.log(size)
        tokens = band.compute / 6.0 / size
        regret = 0.0 if share == 1 else _at(band, x, lambda i: band.points[i].regret)
        extra = "none is enough" if regret is None else f"+{_share(regret)}" if regret else "0%"
        name = "optimum" if share == 1 else f"{share:.2g}x"
        mark = "*" if tokens > most * (1 + _SAME) else ""
        loss = _at(band, x, lambda i: band.points[i].loss) or band.loss
        lines.append((name, _size(size), bare(show(tokens, _TOKEN)) + mark, f"{loss:.4f}", extra))
    if any("*" in line[2] for line in lines):
        lines = [(*line[:2], line[2] if "*" in line[2] else f"{line[2]} ", *line[3:]) for line in lines]
    notes = [f"All at {show(band.compute, _FLOP)}. Extra compute: what the size takes more for the optimum's loss."]
    if any("*" in line[2] for line in lines):
        notes.append("* More tokens than the plan's data give.")
    heads = ("size", "params", "tokens", "loss", "extra compute")
    return Section(under(report, "Other sizes", solution), tuple(lines), heads, notes=tuple(notes))


def _most_tokens(solution: Solution) -> float:
    """Tokens that the plan's data give at most."""
    most = math.inf
    for source in solution.sources:
        there, epochs, share = (solution.get(f"{key}.{source}") for key in ("available", "max_epochs", "share"))
        if there and epochs and share:
            most = min(most, there * epochs / share)
    return most


def _size(params: float, digits: int = 4) -> str:
    return bare(show(params, _PARAM, digits))


def _between(ends: tuple[float, float]) -> str:
    return f"{_size(ends[0])} {NOTHING} {_size(ends[1])}"


def _share(value: float) -> str:
    return "<0.01%" if value < 5e-5 else per_cent(float(f"{value:.2g}"))


def _at(band: Band, x: float, of: Callable[[int], float | None]) -> float | None:
    """A figure of a size between those of the band, by the cubic through the four nearest; `x` is the log size.

    None where the size has none, or lies outside.
    """
    points = band.points
    first = math.log(points[0].params)
    step = (math.log(points[-1].params) - first) / (len(points) - 1)
    place = (x - first) / step
    if not -1e-9 <= place <= len(points) - 1 + 1e-9:
        return None
    low = min(max(int(place), 0), len(points) - 2)
    if of(low) is None or of(low + 1) is None:
        return None
    total = 0.0
    start = min(max(low - 1, 0), len(points) - 4)
    near = [(i, y) for i in range(start, start + 4) if (y := of(i)) is not None]
    for i, y in near:
        for j, _ in near:
            if i != j:
                y *= (place - j) / (i - j)
        total += y
    return total


# ---- the chart


def _chart(solution: Solution, band: Band, width: int, named: bool) -> list[str]:
    """Loss against size at the plan's compute in at most `width` columns; no lines where that is too few."""
    plan = math.log(solution.get("law_params") or band.optimum)
    best = math.log(band.optimum)
    first, last = (math.log(point.params) for point in (band.points[0], band.points[-1]))
    ends = [math.log(end) for end in band.by_loss]
    seen = [plan] if first <= plan <= last else []
    low, high = max(first, min(*ends, *seen) - 0.5), min(last, max(*ends, *seen) + 0.5)
    most = max(_loss(band, low), _loss(band, high))
    step = (most - band.loss) / (ROWS - 1)
    labels = [f"{most - i * step:.{3 if step >= 0.001 else 4}f} ┤" for i in range(ROWS)]
    gap = columns(labels[0])
    room = min(WIDEST, width - gap)
    if room < NARROWEST or step <= 0:
        return []

    def column(x: float) -> int:
        return round((x - low) / (high - low) * (room - 1))

    levels = [round((most - _loss(band, low + (high - low) * i / (room - 1))) / step) for i in range(room)]
    grid = _curve([min(max(level, 0), ROWS - 1) for level in levels])
    legend = [f"{OPTIMUM} optimum {_size(band.optimum)}"]
    at = column(best)
    grid[levels[at]][at] = OPTIMUM
    if not seen:
        side = "left" if plan < first else "right"
        legend.append(f"the plan's {_size(math.exp(plan))} lies off to the {side}")
    elif column(plan) == at:
        grid[levels[at]][at] = PLAN
        legend = [f"{PLAN} the plan and the optimum"]
    else:
        grid[levels[column(plan)]][column(plan)] = PLAN
        legend.append(f"{PLAN} the plan {_size(math.exp(plan))}")
    under = f", under {plain(solution.law)}" if named else ""
    axis, ticks = _axis(low, high, room, column)
    lines = [label + "".join(row) for label, row in zip(labels, grid, strict=True)]
    below = [" " * (gap - 1) + axis, " " * gap + ticks]
    for band_ends, text in ((band.by_loss, _WITHIN_LOSS), (band.by_compute, _WITHIN_COMPUTE)):
        start, end = (column(min(max(math.log(x), low), high)) for x in band_ends)
        below.append(" " * gap + _bar(start, end, text, room))
    title = [f"loss, nat/token, against params at {show(band.compute, _FLOP)}{under}"]
    return [line.rstrip() for line in [*title, *lines, *below, " " * gap + "   ".join(legend)]]


def _loss(band: Band, x: float) -> float:
    """The loss of a log size on the chart; rounding may put its ends a hair outside of the points."""
    first, last = (math.log(point.params) for point in (band.points[0], band.points[-1]))
    return _at(band, min(max(x, first), last), lambda i: band.points[i].loss) or band.loss


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


def _axis(low: float, high: float, room: int, column: Callable[[float], int]) -> tuple[str, str]:
    """The axis of sizes with its ticks, and their labels."""
    axis, labels = ["─"] * room, ""
    for power in range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1):
        for digit in (1, 2, 5):
            x = math.log(digit) + power * math.log(10)
            if low <= x <= high:
                text = _size(math.exp(x), 3)
                at = column(x)
                start = max(0, at - len(text) // 2)
                axis[at] = "┬"
                if (not labels or start > len(labels)) and start + len(text) <= room:
                    labels = labels.ljust(start) + text
    return "└" + "".join(axis), labels


def _bar(start: int, end: int, text: str, room: int) -> str:
    """A span under the axis, with its name in it or beside it."""
    inside = end - start - 1
    for said in (text, text.removeprefix("within ")):
        if inside >= len(said) + 2:
            return " " * start + f"├{f' {said} ':─^{inside}}┤"
    bar = f"├{'─' * inside}┤" if inside >= 0 else "│"
    if start + len(bar) + 1 + len(text) <= room:
        return " " * start + f"{bar} {text}"
    return " " * (start - len(text) - 1) + f"{text} {bar}" if start > len(text) else " " * start + bar
