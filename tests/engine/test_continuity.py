"""What is solved moves little with what is given: hardware, time, price and MFU, also where the rate is a default."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of

LAWS = ("llama3", "chinchilla", "kaplan", "chinchilla.approach1")
STEP = 1.05


def solved(text: str) -> dict[str, float]:
    report = report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)
    (solution,) = report.solutions
    assert solution.status == "solved", [f.message for f in report.findings]
    found = {name: solution.get(name) for name in ("params", "tokens", "mfu", "time", "cost")}
    return {name: value for name, value in found.items() if value}


def moved(before: dict[str, float], after: dict[str, float]) -> float:
    """The largest change of any value, in steps of the input."""
    return max(abs(math.log(after[name] / before[name])) for name in before) / math.log(STEP)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("device", ["H100", "A100"])
def test_a_walk_along_the_time(law: str, device: str) -> None:
    """`use laws llama3` on 4 H100 for 90 days used to swing between two rates."""
    days = [3.0 * STEP**i for i in range(0, 100, 4)]
    for at in days:
        one, two = (solved(f"use laws {law}\nhardware: 64 x {device} for {d:.9f} days\n") for d in (at, at * STEP))
        assert moved(one, two) < 1.001


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    law=st.sampled_from(LAWS),
    device=st.sampled_from(["H100", "A100", "H200"]),
    gpus=st.integers(40, 4000),
    days=st.floats(2, 200),
    price=st.floats(0.5, 5),
    cap=st.floats(0.3, 3),
    mfu=st.sampled_from(["", " at 37% MFU"]),
    what=st.sampled_from(["days", "price", "cap"]),
)
def test_no_step_is_larger_than_that_of_the_input(
    law: str, device: str, gpus: int, days: float, price: float, cap: float, mfu: str, what: str
) -> None:
    whole = gpus * days * 24 * price

    def text(days: float, price: float, cap: float) -> str:
        return (
            f"use laws {law}\nhardware: {gpus} x {device} for up to {days:.9f} days{mfu} @ {price:.9f} USD/GPU/hour\n"
            f"require cost <= {cap * whole:.6f} USD\n"
        )

    given_ = {"days": days, "price": price, "cap": cap}
    one, two = (solved(text(**{**given_, what: given_[what] * factor})) for factor in (1.0, STEP))
    assert moved(one, two) < 1.001
