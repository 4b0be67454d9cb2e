"""What differs between two states of plans as JSON text, `plan.diff/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.differences.differences import Differences
from runplan.engine.documents.diff import document


def render(found: Differences, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(found))
