"""`<` and `>` are strict where figures decide, and as good as `<=` and `>=` where a choice stops at the bound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import under

HARDWARE = "hardware: 10 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour\n"


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        ("cost < 4800 USD", ["B001"]),
        ("cost <= 4800 USD", []),
        ("cost < 4800.01 USD", []),
        ("cost > 4800 USD", ["B002"]),
        ("cost >= 4800 USD", []),
        ("4800 USD > cost", ["B001"]),
        ("gpus < 10", ["B001"]),
        ("gpu_hours < 2400 GPU-hours", ["B001"]),
        ("tokens / params < 20", []),
        ("tokens / params > 20", []),
    ],
)
def test_what_figures_decide_is_strict(condition: str, codes: list[str]) -> None:
    """10 GPUs for 240 hours at 2 USD are 4,800 USD, to the last digit."""
    report = under(f"{HARDWARE}require {condition}\n", "chinchilla")
    assert [f.code for f in report.findings if f.severity == "error"] == codes


def test_what_lies_on_the_bound_is_said_so() -> None:
    """No figure stands beside itself as too much."""
    report = under(f"{HARDWARE}require cost < 4800 USD\n", "chinchilla")
    (found,) = [f for f in report.findings if f.code == "B001"]
    assert found.message == "`cost` is 4,800 USD; the plan allows less than that"
    assert "gpus <= 9" in found.help[0]


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 60 * 24 - 1))
def test_a_run_that_ends_in_the_day_that_it_is_to_end_before_is_told_by_the_minute(minutes: int) -> None:
    """A date is where its day begins."""
    text = f"hardware: 10 x H100 for {30 + minutes / 1440:.8f} days at 40% MFU from 2028-01-31\n"
    report = under(f"{text}require finish <= 2028-03-01\n", "chinchilla")
    (found,) = [f for f in report.findings if f.code == "B001"]
    end = f"2028-03-01 {minutes // 60:02d}:{minutes % 60:02d}"
    assert found.message == f"`finish` is {end}, after the 2028-03-01 00:00 that the plan allows"


def test_a_choice_stops_at_a_strict_bound() -> None:
    strict, other = (under(f"{HARDWARE}require tokens / params {op} 15\n", "chinchilla") for op in ("<", "<="))
    assert strict.solutions[0]["params"].value == pytest.approx(other.solutions[0]["params"].value)
