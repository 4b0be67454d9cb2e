"""A ladder as a picture: where its runs lie, what is expected of them, and how well each design tells the flagship."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import PlotAxis
from runplan.cli.show.text.figures import bare
from runplan.cli.show.text.picture import Panel, Picture, Series
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import replace
from runplan.dsl.units.base import FLOP, PARAM, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.documents.ladder import LOSS
from runplan.engine.ladder.ladder import Ladder, Small
from runplan.engine.problem import quantities as q

# Points of a curve.
_FINE = 48


def counted(name: str, dim: Dim, digits: int = 3) -> PlotAxis:
    """An axis of what is counted, over decades."""
    return PlotAxis(name, dim, lambda value: bare(show(value, dim, digits)), True)


def picture(ladder: Ladder) -> Picture:
    """What a ladder looks like."""
    flagship = ladder.flagship
    panels = (runs(ladder), _expected(ladder), _designs(ladder))
    source = (
        f"{plain(flagship.plan.source.path)}: {len(ladder.runs)} runs, design {ladder.design}; expected by "
        f"{flagship.solution.resolved}, noise {100 * ladder.noise:g} %"
    )
    return Picture(f"The ladder that leads to {plain(flagship.plan.title)}", panels, source)


def _budgets(ladder: Ladder) -> list[tuple[str, float, list[Small]]]:
    """The runs of each budget, with what it is called and its shade; all of them where the design has no budgets."""
    budgets = sorted({run.budget for run in ladder.runs if run.budget is not None})
    if not budgets:
        return [("run", 0.4, list(ladder.runs))]
    last = max(len(budgets) - 1, 1)
    return [
        (show(budget, FLOP, 2), i / last, [run for run in ladder.runs if run.budget == budget])
        for i, budget in enumerate(budgets)
    ]


def _size(ladder: Ladder, run: Small) -> float:
    return float(ladder.sizes.law[run.place])


def runs(ladder: Ladder) -> Panel:
    """Where the runs lie in size and tokens, their budgets as lines, and the flagship."""
    flagship, surface = ladder.flagship, ladder.flagship.surface
    smallest = min(run.value(q.COMPUTE) or math.inf for run in ladder.runs)
    best = [(float(surface.best(budget)[0]), budget) for budget in _between(smallest, flagship.compute)]
    line = [(size, budget / surface.flop / size) for size, budget in best]
    out = [Series("dashes", *_columns(line), label="law's best")]
    for name, shade, of in _budgets(ladder):
        at = [(_size(ladder, run), float(run.settings.tokens)) for run in of]
        if of[0].budget is not None:
            out.append(Series("line", *_columns(sorted(at)), tone=shade))
        label = name if of[0].budget is not None else "runs"
        out.append(Series("points", *_columns(sorted(at)), label=label, tone=shade))
    out.append(Series("points", (flagship.size,), (flagship.tokens,), label="flagship", tone=1, marker="star"))
    x, y = counted("params, as the law counts them", PARAM), counted("tokens", TOKEN)
    return Panel("Where the runs lie", x, y, tuple(out))


def _columns(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(x for x, _ in points), tuple(y for _, y in points)


def _between(low: float, high: float) -> Iterator[float]:
    """Figures evenly apart by ratio, the ends among them."""
    for i in range(_FINE):
        yield low * (high / low) ** (i / (_FINE - 1))


def _expected(ladder: Ladder) -> Panel:
    """The loss that the law expects over the size, of each budget with its least."""
    surface = ladder.flagship.surface
    out: list[Series] = []
    for name, shade, of in _budgets(ladder):
        at = sorted((_size(ladder, run), run.loss) for run in of)
        budget = of[0].budget
        if budget is not None:
            sizes = tuple(_between(at[0][0], at[-1][0]))
            out.append(Series("line", sizes, surface.over(budget, sizes), tone=shade))
            best = float(surface.best(budget)[0])
            (least,) = surface.over(budget, (best,))
            out.append(Series("points", (best,), (least,), tone=shade, marker="ring"))
        label = name if budget is not None else "runs"
        out.append(Series("points", *_columns(at), label=label, tone=shade))
    y = PlotAxis("loss, nat/token", LOSS, lambda value: f"{value:.3f}", False)
    return Panel("The loss that the law expects", counted("params, as the law counts them", PARAM), y, tuple(out))


def _designs(ladder: Ladder) -> Panel:
    """What each design will tell of the flagship's loss."""
    told = [one for one in ladder.compared if not one.why_not and one.width.loss.is_told]
    out = []
    for i, one in enumerate(told):
        loss = one.width.loss
        label, low, high = f"{one.design}: ± {loss.half:.3g}", (loss.low,), (loss.high,)
        out.append(Series("bars", (i + 1.0,), (ladder.loss,), label=label, tone=i, low=low, high=high))
    across = PlotAxis("designs of the same budget", (), lambda value: "", False)
    y = PlotAxis("flagship's loss, nat/token, 80 %", LOSS, lambda value: f"{value:.3f}", False)
    panel = Panel("What they will tell of the flagship", across, y, tuple(out))
    return replace(panel, within=(0.6, len(told) + 0.9))
