"""A frontier as text for a terminal: a plot of it, its points, and what limits them."""

from __future__ import annotations

from runplan.cli.show.findings import full
from runplan.cli.show.frontier.content import content, wrong
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plot import plotted
from runplan.cli.show.text.terminal import INDENT, Page, styled
from runplan.dsl.dataclass import replace
from runplan.engine.frontier.frontier import Frontier


def render(frontier: Frontier, look: Look = PLAIN) -> str:
    """The frontier, no line longer than the page is wide; where there is no curve, what is wrong."""
    if not frontier.points:
        return full.render(wrong(frontier), look)
    shown = content(frontier)
    page = Page(look)
    page.line(shown.path, style="dim")
    page.blank()
    page.line(f"{shown.what}: {shown.headline}", style="bold", upto=len(shown.what) + 1)
    if shown.plot and (lines := plotted(shown.plot, page.width - INDENT)):
        page.blank()
        for line in lines:
            page.put(styled(line))
    page.heading("Points")
    page.table(shown.points)
    page.said((), shown.notes)
    if shown.limits.rows:
        page.heading("What limits it")
        page.table(shown.limits)
    if shown.findings.rows:
        page.heading("Findings")
        page.table(replace(shown.findings, heads=()))
    return page.text()
