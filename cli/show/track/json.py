"""A tracked run as JSON text, `plan.track/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.documents.track import document
from runplan.engine.track.track import Track


def render(track: Track, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(track))
