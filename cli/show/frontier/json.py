"""A frontier as JSON text, `plan.frontier/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.frontier import Frontier
from runplan.engine.frontier_document import document


def render(frontier: Frontier, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(frontier))
