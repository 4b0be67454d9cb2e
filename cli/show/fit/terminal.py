"""A fit as text for a terminal."""

from __future__ import annotations

from runplan.cli.show.fit.content import content
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph
from runplan.engine.fits import FitReport


def render(report: FitReport, look: Look = PLAIN) -> str:
    """The fit, no line longer than the page is wide."""
    shown = content(report, details=look.details)
    out = paragraph(shown.headline, width=look.width)
    for section in shown.sections:
        out += f"\n{section.title}\n"
        rows = [section.heads, *section.rows] if section.heads else section.rows
        out += columns(rows, "  ", look.width) if rows else ""
        out += "".join(paragraph(text, "  ", look.width) for text in section.said)
    return out
