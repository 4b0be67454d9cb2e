"""A fit as JSON text, `plan.fit/v1`."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.dsl.text.finding import Finding
from runplan.engine.documents.fit import document, refused_document
from runplan.engine.fits import FitReport


def render(report: FitReport, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(report))


def render_refused(file: str, form: str, findings: Sequence[Finding]) -> str:
    """The document of a fit that the runs do not tell, as text."""
    return document_text(refused_document(file, form, findings))
