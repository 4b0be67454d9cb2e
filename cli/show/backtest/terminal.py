"""A backtest as text for a terminal."""

from __future__ import annotations

from runplan.cli.show.backtest.content import content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import Page
from runplan.engine.backtest.backtest import Backtest


def render(found: Backtest, look: Look = PLAIN) -> str:
    """The backtest, no line longer than the page is wide."""
    shown, page = content(found, look.details), Page(look)
    page.line(shown.headline, style="bold", upto=shown.headline.find(";"))
    if shown.scorecard.table.rows:
        page.section(shown.scorecard)
    for section in shown.sections:
        page.section(section)
    if shown.unjudged:
        page.heading("Not judged")
        page.texts([("-", text) for text in shown.unjudged], (), wrap=1)
    if shown.aside.rows:
        page.heading("Set aside: no score counts them")
        page.table(shown.aside)
    return page.text()
