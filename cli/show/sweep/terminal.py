"""A sweep as text for a terminal: a curve or a map, its first points, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.sweep.content import HeatMap, Swept, content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plot import plotted
from runplan.cli.show.text.terminal import INDENT, Page, styled

# From the least to the most; a blank where there is nothing.
SHADES = "·░▒▓█"


def render(swept: Swept, look: Look = PLAIN) -> str:
    """The sweep, no line longer than the page is wide."""
    shown = content(swept, details=look.details)
    page = Page(look)
    page.line(shown.path, style="dim")
    page.blank()
    page.line(shown.headline, style="bold", upto=shown.headline.find(":") + 1)
    picture = list(_heat(shown.map, page.width - INDENT)) if shown.map else []
    picture = plotted(shown.plot, page.width - INDENT) if shown.plot else picture
    if picture:
        page.blank()
        for line in picture:
            page.put(styled(line))
    if shown.points.rows:
        page.heading("Points")
        page.table(shown.points)
        page.said((), shown.notes)
    if shown.wrong.rows:
        page.heading("What is wrong")
        page.table(shown.wrong)
    return page.text()


def _heat(heat: HeatMap, width: int) -> Iterator[str]:
    """The map in at most so many columns."""
    gap = max(map(len, heat.labels)) + 2
    count = len(heat.cells[0])
    wide = max(1, min(6, (width - gap) // count))
    if gap + count * wide > width:
        return
    yield f"{heat.name} by {heat.down}, down, and {heat.across}, across"
    for text, row in zip(heat.labels, heat.cells, strict=True):
        yield f"{text:>{gap - 2}} │{''.join(_shade(cell) * wide for cell in row)}".rstrip()
    first, last = heat.ends
    room = count * wide
    yield " " * (gap - 1) + "└" + "─" * room
    yield " " * gap + (f"{first}{last:>{room - len(first)}}" if len(first) + len(last) < room else f"{first} to {last}")
    yield " " * gap + f"{heat.low} {SHADES} {heat.high}, blank where there is no solution"


def _shade(share: float | None) -> str:
    return " " if share is None else SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)]
