"""A frontier as JSON text, `plan.frontier/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.frontier import document
from runplan.engine.frontier.frontier import Frontier


def render(frontier: Frontier, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(frontier))
