"""The report of a solved plan as JSON text, `plan.solve/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.solve import document
from runplan.engine.report import Report


def render(report: Report, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(report, details=look.details))
