"""A picture to the bytes of an SVG or a PNG, the same each time: no date, and fixed names of what is used twice."""

from __future__ import annotations

import math
from io import BytesIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from runplan.cli.show.text.picture import Marker, Panel, Picture, Series

# The colours of Okabe and Ito (2008), told apart by all eyes; yellow is left out, for it is none on white.
TONES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# What is in an order has shades of one map, which grows darker evenly for all eyes; its light end is cut off.
ORDERED, FIRST, LAST = "cividis", 0.0, 0.82
BEHIND = "#8C8C8C"
MARKERS: dict[Marker, str] = {"dot": "o", "ring": "o", "star": "*", "cross": "x"}
SIZES: dict[Marker, float] = {"dot": 4.5, "ring": 8.0, "star": 13.0, "cross": 6.0}
# Inches of a panel, and of all that stands above and below them; dots an inch of a PNG.
WIDE, HIGH, ABOVE, BELOW = 5.2, 3.7, 0.55, 0.35
DOTS = 144
# Letters are text in an SVG, so that it can be searched and read out.
STYLE = {
    "svg.hashsalt": "runplan",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
}
# What stands behind a label, so that it is read where it lies over a line.
GROUND = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.4}
# Labels of one panel keep so many points apart, in height.
_LINE = 10.0


def drawn(picture: Picture, ending: str) -> bytes:
    """The picture as the bytes of a file of an ending, `svg` or `png`."""
    columns = {1: 1, 2: 2, 4: 2}.get(len(picture.panels), 3)
    rows = math.ceil(len(picture.panels) / columns)
    height = rows * HIGH + ABOVE + BELOW
    with matplotlib.rc_context(STYLE):
        inside = (0, BELOW / height, 1, 1 - (ABOVE + BELOW) / height)
        layout = ConstrainedLayoutEngine(rect=inside, w_pad=0.12, h_pad=0.1)
        figure = Figure(figsize=(columns * WIDE, height), layout=layout)
        canvas = FigureCanvasSVG(figure) if ending == "svg" else FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False)
        for place, one in enumerate(axes.flat):
            if place < len(picture.panels):
                _panel(picture.panels[place], one)
            else:
                one.set_axis_off()
        figure.text(0.012, 1 - 0.5 * ABOVE / height, picture.title, fontsize=12, fontweight="bold", va="center")
        figure.text(0.012, 0.5 * BELOW / height, picture.source, fontsize=7, color="#5A5A5A", va="center")
        canvas.draw()
        for place, panel in enumerate(picture.panels):
            _labels(panel, axes.flat[place])
        out = BytesIO()
        metadata = {"Date": None, "Creator": "runplan"} if ending == "svg" else {"Software": "runplan"}
        figure.savefig(out, format=ending, dpi=DOTS, metadata=metadata)
    return out.getvalue()


def _panel(panel: Panel, axes: Axes) -> None:
    axes.set_title(panel.title)
    for series in panel.series:
        _series(series, axes)
    if panel.scales is None:
        return
    for at, (of, own, scale) in enumerate(zip((panel.x, panel.y), (axes.xaxis, axes.yaxis), panel.scales, strict=True)):
        ends = [math.exp(end) if of.logarithmic else end for end in (scale.low, scale.high)]
        (axes.set_xscale if at == 0 else axes.set_yscale)("log" if of.logarithmic else "linear")
        (axes.set_xlim if at == 0 else axes.set_ylim)(*ends)
        ticks = [tick for tick in scale.ticks() if of.said(tick)]
        own.set_major_locator(FixedLocator(ticks))
        own.set_major_formatter(FixedFormatter([of.said(tick) for tick in ticks]))
        own.set_minor_locator(NullLocator())
        own.set_label_text(of.name)


def colour(tone: int | float | None) -> str:
    """The colour of a series."""
    if tone is None:
        return BEHIND
    if isinstance(tone, int):
        return TONES[tone % len(TONES)]
    shade = matplotlib.colormaps[ORDERED](FIRST + (LAST - FIRST) * tone)
    return str(matplotlib.colors.to_hex(shade))


def _series(series: Series, axes: Axes) -> None:
    own = colour(series.tone)
    if series.kind == "band":
        axes.fill_between(series.x, series.low, series.high, color=own, alpha=0.18, linewidth=0)
        return
    if series.kind in ("line", "dashes"):
        style = "-" if series.kind == "line" else (0, (4, 3))
        axes.plot(series.x, series.y, color=own, linewidth=1.3, linestyle=style)
        return
    if series.kind == "bars":
        axes.vlines(series.x, series.low, series.high, color=own, linewidth=2.0, alpha=0.7)
    face = "white" if series.marker == "ring" else own
    axes.plot(
        series.x,
        series.y,
        linestyle="none",
        marker=MARKERS[series.marker],
        markersize=SIZES[series.marker],
        color=own,
        markerfacecolor=face,
        markeredgecolor="white" if series.marker in ("dot", "star") else own,
        markeredgewidth=0.6 if series.marker in ("dot", "star") else 1.4,
        zorder=4 if series.marker == "star" else 3,
    )


def _labels(panel: Panel, axes: Axes) -> None:
    """The labels of series, each beside one of its points, those that would cover each other moved apart in height."""
    placed: list[tuple[float, float, float]] = []
    points = axes.figure.dpi / 72.0
    right, top, middle = axes.bbox.x1, axes.bbox.y1, axes.bbox.intervaly.mean()
    for series in panel.series:
        if not series.label or not series.x:
            continue
        heights = series.high or series.y
        x, y = axes.transData.transform((series.x[series.at], heights[series.at]))
        wide = 4.6 * len(series.label) * points
        inside = x + wide > right
        start = x - wide if inside else x
        up, end = min(y, top - _LINE * points), start + wide
        while any(abs(up - other) < _LINE * points and start < b and a < end for a, b, other in placed):
            up += _LINE * points * (1 if y < middle else -1)
        placed.append((start, end, up))
        axes.annotate(
            series.label,
            (series.x[series.at], heights[series.at]),
            xytext=((-7 if inside else 7), (up - y) / points + 3),
            textcoords="offset points",
            ha="right" if inside else "left",
            va="bottom",
            fontsize=7.5,
            color=colour(series.tone),
            bbox=GROUND,
            annotation_clip=False,
        )
