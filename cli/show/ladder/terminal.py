"""A ladder as text for a terminal: its runs, the designs side by side, and what all of it costs."""

from __future__ import annotations

from runplan.cli.show.ladder.content import content
from runplan.cli.show.ladder.picture import runs
from runplan.cli.show.text.canvas import canvas
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import INDENT, Page, styled
from runplan.dsl.dataclass import replace
from runplan.engine.ladder.ladder import Ladder


def render(ladder: Ladder, look: Look = PLAIN) -> str:
    """The ladder, no line longer than the page is wide."""
    shown = content(ladder)
    page = Page(look)
    page.line(shown.path, style="dim")
    page.blank()
    page.line(f"{shown.what}: {shown.headline}", style="bold", upto=len(shown.what) + 1)
    if lines := canvas(runs(ladder), page.width - INDENT):
        page.blank()
        for line in lines:
            page.put(styled(line))
    page.heading("Runs")
    page.table(shown.runs)
    page.heading("Designs")
    page.table(shown.designs)
    page.heading("In all")
    page.table(shown.totals)
    page.said((), shown.notes)
    if shown.findings.rows:
        page.heading("Findings")
        page.table(replace(shown.findings, heads=()))
    return page.text()
