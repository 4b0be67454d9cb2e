"""A backtest as JSON text, `plan.backtest/v1`."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.engine.backtest.backtest import Backtest
from runplan.engine.documents.backtest import document


def render(found: Backtest, look: Look = PLAIN) -> str:
    """The document as text."""
    return document_text(document(found))
