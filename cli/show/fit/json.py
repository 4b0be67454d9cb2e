"""A fit as JSON text, `plan.fit/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.fit_document import document
from runplan.engine.fits import FitReport


def render(report: FitReport, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(report))
