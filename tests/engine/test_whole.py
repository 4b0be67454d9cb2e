"""Counts of devices that are solved, and made whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of


def test_two_pools_at_default_rates_are_made_whole_and_used_up() -> None:
    """51 B200 in nodes of 8 are 48: the size that they train is smaller."""
    text = (
        "hardware: up to 51 x B200 for 6 hours in nodes of 8 @ 3 USD/GPU/hour"
        " + up to 512 x A100 for 15 days in nodes of 8\n"
    )
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)
    (solution,) = report.solutions
    assert solution.status == "solved"
    assert solution.get("gpus") == 48 + 512
    assert solution.get("compute") == pytest.approx(solution.get("capacity") or 0.0, rel=1e-9)
