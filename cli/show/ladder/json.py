"""A ladder as JSON text, `plan.ladder/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.ladder import document
from runplan.engine.ladder.ladder import Ladder


def render(ladder: Ladder, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(ladder))
