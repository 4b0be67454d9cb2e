"""Findings as JSON text, `plan.check/v1`."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look


def render(checked: Checked, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(checked.document())
