"""A fit as a picture: its budgets, what is best over them, how far each run is off, and what constants may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import PlotAxis
from runplan.cli.show.text.figures import apart
from runplan.cli.show.text.picture import Panel, Picture, Series
from runplan.cli.show.text.plain import plain
from runplan.dsl.units.base import FLOP, dim_of
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.fit.curves import Curves, curves_of
from runplan.engine.fits import FitReport

LOSS, SIZE = dim_of("nat/token"), dim_of("param")
# So many budgets are called by their name; of more the first and the last.
NAMED = 8
# Profiles are of interest this far from the best, in standard errors.
NEAR = 3.0
Points = Sequence[tuple[float, float]]


def picture(report: FitReport) -> Picture:
    """What a fit looks like."""
    found = report.found
    curves = curves_of(found, report.law, report.library)
    of_budgets = [panel for panel in (_budgets(curves), _frontier(curves, report), _best_size(curves)) if panel.series]
    every = (*(of_budgets or [_fitted(report)]), _residuals(curves, report), _profiles(curves))
    panels = tuple(panel for panel in every if panel.scales is not None)
    source = f"{plain(found.table.path)}: {len(found.runs)} runs, SHA-256 {found.table.digest[:12]}, the form of "
    title = f"{plain(report.law.name)}: what {len(found.runs)} runs tell of the form of {found.law.name}"
    return Picture(title, panels, f"{source}{found.law.name}")


def _axis(name: str, dim: Dim, digits: int = 3) -> PlotAxis:
    return PlotAxis(name, dim, lambda value: apart(show(value, dim, digits))[0], True)


def _loss() -> PlotAxis:
    return PlotAxis("loss, nat/token", LOSS, lambda value: f"{value:.3g}", True)


def _columns(points: Points) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(x for x, _ in points), tuple(y for _, y in points)


def _budgets(curves: Curves) -> Panel:
    """The runs of each budget over their size, the form through them, and the lowest point of their parabola."""
    out: list[Series] = []
    last = max(len(curves.budgets) - 1, 1)
    for i, one in enumerate(curves.budgets):
        shade, runs = i / last, one.runs
        named = len(curves.budgets) <= NAMED or i in (0, last)
        if one.curve:
            out.append(Series("line", *_columns(one.curve), tone=shade))
        if one.parabola:
            out.append(Series("dashes", *_columns(one.parabola), tone=shade))
        label = show(runs.budget, FLOP, 2) if named else ""
        out.append(Series("points", runs.sizes, runs.values, label=label, tone=shade))
        if runs.size is not None and runs.value is not None and not runs.left_out:
            out.append(Series("points", (runs.size,), (runs.value,), tone=shade, marker="ring"))
    return Panel("Each budget: the form, and parabolas (dashed)", _axis("params", SIZE), _loss(), tuple(out))


def _frontier(curves: Curves, report: FitReport) -> Panel:
    """The least loss of each compute, by the law with its band, over all runs."""
    runs = report.found.runs
    out: list[Series] = []
    law = list(_law("loss", curves))
    if {"compute", "loss"} <= runs.columns.keys() and (law or report.found.parts[0].form.output == "loss"):
        points = sorted(zip(runs.values("compute").tolist(), runs.values("loss").tolist(), strict=True))
        out.append(Series("points", *_columns(points), label="runs", at=0))
    return Panel("The least loss of each budget, 80 % band", _axis("compute, FLOP", FLOP), _loss(), (*out, *law))


def _best_size(curves: Curves) -> Panel:
    """The best size of each compute, by the law with its band, and by the parabolas."""
    out = list(_law("params", curves))
    lowest = [(one.runs.budget, one.runs.size) for one in curves.budgets if one.runs.size and not one.runs.left_out]
    if lowest:
        out.append(Series("points", *_columns(lowest), label="parabolas", tone=1, marker="ring", at=0))
    return Panel(
        "The best size of each budget, 80 % band", _axis("compute, FLOP", FLOP), _axis("params", SIZE), tuple(out)
    )


def _law(name: str, curves: Curves) -> Iterator[Series]:
    """What the law gives over budgets: beyond the largest run in dashes."""
    told = [(budget, found[name]) for budget, found in curves.best if name in found]
    if not told:
        return
    xs, values = tuple(x for x, _ in told), tuple(one.value for _, one in told)
    low, high = tuple(one.low for _, one in told), tuple(one.high for _, one in told)
    yield Series("band", xs, (), tone=0, low=low, high=high)
    known = [x <= (curves.largest or math.inf) * (1 + 1e-9) for x in xs]
    inside = sum(known)
    yield Series("line", xs[:inside], values[:inside], tone=0)
    yield Series("dashes", xs[max(inside - 1, 0) :], values[max(inside - 1, 0) :], label="the law", tone=0)


def _fitted(report: FitReport) -> Panel:
    """What was measured, over what the form gives."""
    part = report.found.parts[0]
    points = sorted(zip(part.predicted, part.model.measured.tolist(), strict=True))
    least, most = points[0][0], points[-1][0]
    of, positive = part.form.output.replace("_", " "), min(min(point) for point in points) > 0
    x, y = (PlotAxis(f"{of}, {how}", (), lambda value: f"{value:.3g}", positive) for how in ("fitted", "measured"))
    same = Series("line", (least, most), (least, most), label="as the form says")
    return Panel("Measured and fitted", x, y, (same, Series("points", *_columns(points), label="runs", tone=0, at=0)))


def _residuals(curves: Curves, report: FitReport) -> Panel:
    """How far each run is off the form."""
    part, spent = report.found.parts[0], report.found.spent
    scale = 100.0 if part.model.log else 1.0
    points = sorted(zip(curves.spent, (scale * off for off in curves.off), strict=True))
    table = report.found.table
    unit = ", FLOP" if spent == "compute" else ""
    x = (
        _axis(f"{spent}{unit}", table.columns[spent].dim)
        if spent
        else PlotAxis("run", (), lambda value: f"{value:g}", False)
    )
    name = "measured below the form, %" if part.model.log else "measured below the form"
    zero = Series("line", (points[0][0], points[-1][0]), (0.0, 0.0))
    y = PlotAxis(name, (), lambda value: f"{value:g}", False)
    return Panel(
        f"Residuals of {part.form.output.replace('_', ' ')}",
        x,
        y,
        (zero, Series("points", *_columns(points), label="runs", tone=0, at=0)),
    )


def _profiles(curves: Curves) -> Panel:
    """How unlikely each constant is, held off its best: straight where it is known as its error says."""
    out = [Series("dashes", (-NEAR, NEAR), (-NEAR, NEAR), label="as the error says")]
    for i, root in enumerate(curves.roots):
        both = zip(root.held, root.roots, strict=True)
        near = [(held, value) for held, value in both if max(abs(held), abs(value)) <= NEAR]
        if len(near) > 1:
            out.append(Series("line", *_columns(near), label=root.constant, tone=i, at=-1 if i % 2 else 0))
    across = PlotAxis("held off its best, in standard errors", (), lambda value: f"{value:g}", False)
    y = PlotAxis("how unlikely, in standard errors", (), lambda value: f"{value:g}", False)
    return Panel("Profiles of the constants", across, y, tuple(out) if len(out) > 1 else ())
