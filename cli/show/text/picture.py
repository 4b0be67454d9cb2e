"""A picture as data: panels of series over two axes, which a terminal and a file draw each in its own way."""

from __future__ import annotations

import math
from collections.abc import Iterator

from runplan.cli.show.text.content import PlotAxis
from runplan.cli.show.text.scale import Scale
from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal

# `points` are measured or planned, `line` is of a law or a fit, `dashes` goes beyond what is known, `band` lies between
# two ends, `bars` are points with ends of their own.
Kind = Literal["points", "line", "dashes", "band", "bars"]
# `dot` is one of many, `ring` one that is best, `star` what all of it is for, `cross` what is left out.
Marker = Literal["dot", "ring", "star", "cross"]


@dataclass(frozen=True, slots=True)
class Series:
    """Figures that belong together.

    Attributes:
        x, y: In base units, as many of each.
        label: What it is; it stands beside the series. Empty where its place says so.
        tone: Its colour: an ordinal of things that are unlike, a share from 0 to 1 of things in an order, None for
            what stands behind the others.
        low, high: Of a band and of bars the ends, as many as there are points.
        at: Beside which point the label stands, from the end where negative.
    """

    kind: Kind
    x: tuple[float, ...]
    y: tuple[float, ...]
    label: str = ""
    tone: int | float | None = None
    marker: Marker = "dot"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    at: int = -1

    @property
    def points(self) -> Iterator[tuple[float, float]]:
        """Its points, and the ends of bars; a band may reach beyond what is shown."""
        for heights in (self.y,) if self.kind == "band" else (self.y, self.low, self.high):
            if heights:
                yield from zip(self.x, heights, strict=True)


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes.

    Attributes:
        within: From where to where the first axis goes; around what is on it unless said.
    """

    title: str
    x: PlotAxis
    y: PlotAxis
    series: tuple[Series, ...]
    within: tuple[float, float] | None = None

    @property
    def scales(self) -> tuple[Scale, Scale] | None:
        """Both axes around what is there; None where there are no two points."""
        shown = [point for one in self.series for point in one.points if all(map(math.isfinite, point))]
        if len(shown) < 2:
            return None
        across = self.within or tuple(x for x, _ in shown)
        return Scale.over(self.x, across), Scale.over(self.y, [y for _, y in shown])


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels that are looked at together.

    Attributes:
        source: What the figures are from, in a line.
    """

    title: str
    panels: tuple[Panel, ...]
    source: str
