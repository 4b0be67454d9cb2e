"""A comparison as JSON text, `plan.compare/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.comparison.compare import Comparison
from runplan.engine.documents.compare import document


def render(comparison: Comparison, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(comparison))
