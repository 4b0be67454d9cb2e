"""Findings as JSON text, `plan.check/v1`."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.json_text import document_text
from runplan.cli.show.summary import Summary
from runplan.dsl.text.finding import Finding
from runplan.engine.document import checked


def render(findings: Sequence[Finding], summary: Summary) -> str:
    """The document as text."""
    return document_text(checked(findings, summary.files))
