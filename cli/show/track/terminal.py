"""A tracked run as text for a terminal."""

from __future__ import annotations

from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.terminal import Page
from runplan.cli.show.track.content import content
from runplan.engine.track.track import Track


def render(track: Track, look: Look = PLAIN) -> str:
    """The run, no line longer than the page is wide."""
    shown = content(track)
    page = Page(look)
    page.line(shown.path, style="dim")
    page.blank()
    page.line(shown.headline, style="bold", upto=shown.headline.index(":") + 1)
    page.blank()
    page.table(shown.rows)
    page.said((), shown.notes)
    if track.findings:
        page.heading("Findings")
        page.findings(track.findings, short=not look.details)
    return page.text()
