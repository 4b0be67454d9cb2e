"""The page of the backtest in `docs/` is what the library's runs and laws say; UPDATE_SNAPSHOTS=1 rewrites it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from known import LIBRARY
from wheels import needs_repository

from runplan.cli.show.backtest.markdown import page
from runplan.engine.backtest.backtest import backtest
from runplan.engine.runs.record import runs_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backtest.md"
# Laws of settings whose scores are on the page beside those of the usual one.
LAWS = ("deepseek", "steplaw", "porian", "three_term.batch")
REWRITE = "UPDATE_SNAPSHOTS=1 python -m pytest tests/stdlib/test_backtest_page.py"


# Every run by every law: the one test that takes a minute, and what it holds is the same beside a wheel.
@needs_repository
def test_the_page_is_current() -> None:
    current = page(backtest(runs_of(LIBRARY), LIBRARY, LAWS))
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(current, encoding="utf-8")
    if current != PAGE.read_text(encoding="utf-8"):  # git shows the difference, once the page is rewritten
        pytest.fail(f"docs/backtest.md is not what the library says; `{REWRITE}` writes it", pytrace=False)


def test_every_run_is_on_the_page() -> None:
    """Also those that came out badly, and those that could not be judged."""
    text = PAGE.read_text(encoding="utf-8")
    assert [run.name for run in runs_of(LIBRARY) if run.name not in text] == []
