"""A panel of a picture to lines of characters: lines in dots of braille, eight to a character, points as signs."""

from __future__ import annotations

import math
from itertools import pairwise

from runplan.cli.show.text.picture import Marker, Panel, Series
from runplan.cli.show.text.plot import NARROWEST, axis
from runplan.cli.show.text.scale import Scale
from runplan.cli.show.text.width import columns

ROWS = 16
WIDEST = 100
# A character of braille is two dots wide and four high; the bit of each, by column and row.
_WIDE, _HIGH = 2, 4
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800
SIGNS: dict[Marker, str] = {"dot": "●", "ring": "○", "star": "★", "cross": "\N{MULTIPLICATION SIGN}"}
# What a sign is: of one series, or of several.
NAMES = ("{0}", "{0} to {1}")
# Of the dots of a line that goes beyond what is known, one of so many is drawn.
_APART = 4


def canvas(panel: Panel, width: int) -> list[str]:
    """The panel in at most `width` columns; no lines where that is too few, or there is nothing to see."""
    if panel.scales is None:
        return []
    across, up = panel.scales
    labels = {ROWS - 1 - up.place(tick, ROWS): panel.y.said(tick) for tick in up.ticks()}
    gap = max(map(columns, labels.values()), default=0) + 2
    room = min(WIDEST, width - gap)
    if room < NARROWEST:
        return []
    dots = [[0] * room for _ in range(ROWS)]
    signs: dict[tuple[int, int], str] = {}
    for series in panel.series:
        _draw(series, across, up, dots, signs)
    grid = [[signs.get((row, at)) or _dots(bits) for at, bits in enumerate(line)] for row, line in enumerate(dots)]
    lines = [
        f"{labels.get(row, ''):>{gap - 2}} {'┤' if row in labels else '│'}{''.join(line)}"
        for row, line in enumerate(grid)
    ]
    line, ticks = axis(across.ticks(), room, lambda tick: across.place(tick, room), panel.x.said)
    below = [" " * (gap - 1) + line, " " * gap + ticks, panel.x.name.rjust(gap + room)]
    legend = " " * gap + "   ".join(_legend(panel))
    return [line.rstrip() for line in (panel.y.name, *lines, *below, legend) if line.strip()]


def _dots(bits: int) -> str:
    return chr(_BRAILLE + bits) if bits else " "


def _draw(series: Series, across: Scale, up: Scale, dots: list[list[int]], signs: dict[tuple[int, int], str]) -> None:
    """Draw a series: signs for points, dots for lines, and for a band its two edges."""
    room = len(dots[0])
    if series.kind in ("points", "bars"):
        for x, y in zip(series.x, series.y, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                signs[ROWS - 1 - up.place(y, ROWS), across.place(x, room)] = SIGNS[series.marker]
    edges = [series.low, series.high] if series.kind == "band" else [series.y] if series.kind != "points" else []
    if series.kind == "bars":
        for x, low, high in zip(series.x, series.low, series.high, strict=True):
            _line(((x, low), (x, high)), across, up, dots, 1)
        return
    for heights in edges:
        apart = 1 if series.kind == "line" else _APART if series.kind == "dashes" else 2
        for one in pairwise(zip(series.x, heights, strict=True)):
            _line(one, across, up, dots, apart)


def _line(
    ends: tuple[tuple[float, float], tuple[float, float]], across: Scale, up: Scale, dots: list[list[int]], apart: int
) -> None:
    if not all(math.isfinite(value) for point in ends for value in point):
        return
    wide, high = len(dots[0]) * _WIDE, ROWS * _HIGH
    (x, y), (x2, y2) = ((across.place(a, wide), high - 1 - up.place(b, high)) for a, b in ends)
    steps = max(abs(x2 - x), abs(y2 - y), 1)
    for i in range(steps + 1):
        at, row = round(x + (x2 - x) * i / steps), round(y + (y2 - y) * i / steps)
        if (at + row) % apart == 0:
            dots[row // _HIGH][at // _WIDE] |= _BITS[at % _WIDE][row % _HIGH]


def _legend(panel: Panel) -> list[str]:
    """What each sign is, once; of series in an order the first and the last."""
    said: dict[str, list[str]] = {}
    for series in panel.series:
        if series.kind in ("points", "bars") and series.label and series.x:
            said.setdefault(SIGNS[series.marker], []).append(series.label)
    return [f"{sign} {NAMES[len(of) > 1].format(of[0], of[-1])}" for sign, of in said.items()]
