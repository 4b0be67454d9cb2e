"""A solved plan as JSON text, `plan.solve/v1`."""

from __future__ import annotations

from runplan.cli.show.json_text import document_text
from runplan.engine.document import document
from runplan.engine.report import Report


def render(report: Report) -> str:
    """The document as text."""
    return document_text(document(report))
