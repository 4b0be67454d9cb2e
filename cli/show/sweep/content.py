"""Rows of a sweep as data for people: how they came out, a map or a curve of what matters, and the first of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import NOTHING, Cell, Plot, PlotAxis, Table, table
from runplan.cli.show.text.figures import bare, figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import Known, label
from runplan.dsl.dataclass import dataclass
from runplan.engine.sweep.axes import Axis, places
from runplan.engine.sweep.job import STATUSES, Asked, Job
from runplan.engine.sweep.rows import Rows, Seen, varied

# Rows of the table, and reasons, that a screen has room for; with `--details` so many.
SHOWN, ALL, REASONS = 20, 2000, 5
# A map has room for so many values of an axis.
HIGH, WIDE = 24, 60
# What each status is called.
SAID = {
    "solved": "solved",
    "broken": "break what the plan requires",
    "infeasible": "without a solution",
    "undecided": "undecided",
    "refused": "no plans",
}


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that was done.

    Attributes:
        seen: How all rows came out.
        rows: Those that are shown: all, or the first of them.
        known: What is known of each quantity.
        what: What was chosen of them, in words; empty where nothing was.
    """

    job: Job
    seen: Seen
    rows: Rows
    known: Known
    what: str = ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A quantity over two axes, of one law.

    Attributes:
        name: The quantity, and the law where there are several.
        down, across: The paths of the axes.
        labels: Of the rows, from the top.
        ends: The first and the last value across.
        cells: Shares of the way from the least to the most; None where there is none.
        low, high: The least and the most, as people write them.
    """

    name: str
    down: str
    across: str
    labels: tuple[str, ...]
    ends: tuple[str, str]
    cells: tuple[tuple[float | None, ...], ...]
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that is said of a sweep for people, safe to print."""

    path: str
    headline: str
    map: HeatMap | None
    plot: Plot | None
    points: Table
    wrong: Table
    notes: tuple[str, ...]


def content(swept: Swept, *, details: bool = False) -> Content:
    """What there is to say of a sweep."""
    job, rows, seen = swept.job, swept.rows, swept.seen
    counts = ", ".join(f"{count:,} {SAID[status]}" for status, count in seen.by_status.items() if count)
    most = ALL if details else SHOWN
    shown = min(len(rows), most)
    hidden = (len(rows) if swept.what else seen.total) - shown
    reasons = sorted(seen.by_reason.items(), key=lambda item: -item[1])[: None if details else REASONS]
    mapped = None if swept.what else _mapped(swept)
    return Content(
        path=plain(job.path),
        headline=f"{seen.total:,} points: {counts or 'none is wanted'}" + (f"; {swept.what}" if swept.what else ""),
        map=mapped if isinstance(mapped, HeatMap) else None,
        plot=mapped if isinstance(mapped, Plot) else None,
        points=table(_lines(swept, shown), tuple(_heads(swept)), figures=True),
        wrong=table(((f"{count:,}", plain(reason)) for reason, count in reasons), ("points", "what is wrong"), wrap=1),
        notes=(f"{hidden:,} more points: `-o csv=FILE` has all.",) if hidden else (),
    )


def _heads(swept: Swept) -> Iterator[str]:
    for column in varied(swept.job, swept.rows.numbers[:0]):
        yield plain(column.path.split(".")[-1])
    yield from (label(plain(asked.text), swept.known) for asked in _told(swept))
    if swept.seen.by_status["solved"] < swept.seen.total:
        yield ""


def _told(swept: Swept) -> list[Asked]:
    """What is asked, and is no axis by its own name."""
    own = {axis.path.split(".")[-1] for axis in swept.job.axes}
    return [asked for asked in swept.job.asked if asked.text not in own]


def _lines(swept: Swept, count: int) -> Iterator[tuple[Cell, ...]]:
    job, rows, asked = swept.job, swept.rows, _told(swept)
    every_solved = swept.seen.by_status["solved"] == swept.seen.total
    for at in range(count):
        point, law = divmod(int(rows.numbers[at]), len(job.laws))
        axes = [plain(axis.text(place)) for axis, place in zip(job.axes, places(job.axes, point), strict=True)]
        figures = (_said(swept, one, float(rows.figures[one.text][at])) for one in asked)
        status = STATUSES[rows.status[at]]
        laws = [plain(job.laws[law])] if len(job.laws) > 1 else []
        last = [] if every_solved else ["" if status == "solved" else status]
        yield tuple(map(Cell, (*axes, *laws, *figures, *last)))


def _said(swept: Swept, asked: Asked, value: float) -> str:
    return NOTHING if math.isnan(value) else plain(bare(figure(asked.text, value, asked.dim, swept.known)))


# ---- the picture


def _mapped(swept: Swept) -> HeatMap | Plot | None:
    """The quantity that matters over one axis of figures, or over two axes; None where there is no such picture."""
    job, rows = swept.job, swept.rows
    if len(rows) < swept.seen.total or swept.seen.total < job.size:
        return None
    of_law = rows.at(rows.numbers % len(job.laws) == 0)
    asked = next((one for one in _by_weight(swept) if _differs(of_law, one)), None)
    if asked is None:
        return None
    if len(job.axes) == 2:
        return _heat(swept, of_law, asked)
    return _curve(swept, of_law, asked) if len(job.axes) == 1 else None


def _by_weight(swept: Swept) -> list[Asked]:
    """What is asked, the loss first: it is what is traded for the rest."""
    return sorted(_told(swept), key=lambda asked: asked.text != "loss")


def _differs(rows: Rows, asked: Asked) -> bool:
    figures = [value for value in rows.figures[asked.text].tolist() if math.isfinite(value)]
    return len(figures) > 2 and max(figures) - min(figures) > 1e-6 * max(map(abs, figures))


def _name(swept: Swept, asked: Asked) -> str:
    law = f" under {plain(swept.job.laws[0])}" if len(swept.job.laws) > 1 else ""
    return label(plain(asked.text), swept.known) + law


def _curve(swept: Swept, rows: Rows, asked: Asked) -> Plot | None:
    (column, *_) = varied(swept.job, rows.numbers)
    if column.values.dtype.kind != "f":
        return None
    over: Sequence[float] = column.values.tolist()
    points = tuple(pair for pair in zip(over, rows.figures[asked.text].tolist(), strict=True) if math.isfinite(pair[1]))

    def axis(name: str, asked: Asked | None, values: Sequence[float]) -> PlotAxis:
        said = (lambda value: f"{value:.4g}") if asked is None else lambda value: _said(swept, asked, value)
        return PlotAxis(name, asked.dim if asked else (), said, min(values) > 0)

    across = f"{plain(column.path)}{f', {plain(column.unit)}' if column.unit else ''}"
    xs, ys = zip(*sorted(points), strict=True)
    return Plot(axis(across, None, xs), axis(_name(swept, asked), asked, ys), tuple(sorted(points)), None)


def _heat(swept: Swept, rows: Rows, asked: Asked) -> HeatMap:
    down, across = swept.job.axes
    figures = dict(zip((rows.numbers // len(swept.job.laws)).tolist(), rows.figures[asked.text].tolist(), strict=True))
    there = {point: value for point, value in figures.items() if math.isfinite(value)}
    low, high = min(there.values()), max(there.values())
    ups, wides = _some(down, HIGH), _some(across, WIDE)
    cells = tuple(
        tuple(
            None if (value := there.get(up * len(across) + wide)) is None else (value - low) / (high - low)
            for wide in wides
        )
        for up in ups
    )
    return HeatMap(
        _name(swept, asked),
        plain(down.path),
        plain(across.path),
        tuple(plain(down.text(up)) for up in ups),
        (plain(across.text(0)), plain(across.text(len(across) - 1))),
        cells,
        _said(swept, asked, low),
        _said(swept, asked, high),
    )


def _some(axis: Axis, most: int) -> list[int]:
    """At most so many places on an axis, evenly apart, its ends among them."""
    count = min(len(axis), most)
    return [round(at * (len(axis) - 1) / max(count - 1, 1)) for at in range(count)]
